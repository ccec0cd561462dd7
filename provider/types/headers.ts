// Header names of the contract and the hop-by-hop rule (RFC 9110, 7.6.1). Imports nothing: the watchdog uses it.

export const callIdHeader = 'X-Call-Id';
export const startTimeHeader = 'X-Start-Time';
export const servedByHeader = 'X-Served-By';
export const durationHeader = 'X-Duration-Seconds';
/** Names the component that made a response in the function's place. */
export const internalHeader = 'X-OpenFaaS-Internal';
/** The `ErrorCode` of a response made by the platform. */
export const errorCodeHeader = 'X-Error-Code';
/** A finer reason than the code: `CrashLoop`, `OOMKilled`, … */
export const errorReasonHeader = 'X-Error-Reason';
/** On our watchdog's health answer: `false` while the function's own server does not listen yet. */
export const watchdogReadyHeader = 'X-Watchdog-Ready';

/** Headers that belong to one connection and are never forwarded; lower case. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The header names, in lower case, that the value of a `Connection` header declares hop-by-hop. */
export const namedByConnection = (value: string): string[] =>
  value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'close' && name !== 'keep-alive');

// Lines of the watchdog itself, as of-watchdog prints them, and the access log.
import type { IncomingHttpHeaders, OutgoingHttpHeader } from 'node:http';

export type Log = (message: string) => void;

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026/11/21 10:42:07` in local time. */
export const stamp = (now: Date): string =>
  `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;

export const createLog =
  (write: (text: string) => void): Log =>
  (message) =>
    write(`${stamp(new Date())} ${message}\n`);

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal size with four significant digits: 1234567 is `1.235MB`; `-1B` when unknown. */
export const humanSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
};

export type AccessEntry = {
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly statusText: string;
  readonly length: OutgoingHttpHeader | undefined;
  readonly seconds: number;
  /** Set when call ids are to be logged. */
  readonly callId: string | undefined;
};

/** `GET /a?b - 200 OK - ContentLength: 5B (0.0012s)`, with `[call id]` behind it where wanted. */
export const accessLine = (entry: AccessEntry): string => {
  const size = humanSize(entry.length === undefined ? -1 : Number(entry.length));
  const id = entry.callId === undefined ? '' : ` [${entry.callId}]`;
  const status = `${entry.status} ${entry.statusText}`;
  return `${entry.method} ${entry.uri} - ${status} - ContentLength: ${size} (${entry.seconds.toFixed(4)}s)${id}`;
};

/** Probes of a kubelet are not worth a line each. */
export const isProbe = (headers: IncomingHttpHeaders): boolean => headers['user-agent']?.startsWith('kube-probe') ?? false;

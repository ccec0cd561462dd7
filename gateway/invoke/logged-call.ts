// A call that is written to the access log: the same, with a clock at each of its steps and its bytes counted.
import type { FaasError } from '../../provider/types/errors.ts';
import { errorCodeHeader, errorReasonHeader, internalHeader } from '../../provider/types/headers.ts';
import type { CallLog, Failure } from '../http/call-log.ts';
import { type CallParts, InvokeCall } from './call.ts';
import type { EndpointState } from './endpoint.ts';
import type { Invocation, Sink } from './invocation.ts';

const marks = [internalHeader, errorCodeHeader, errorReasonHeader].map((name) => name.toLowerCase());

/** What a watchdog that answers in the function's place says of it. */
const failureIn = (headers: readonly string[]): Failure | undefined => {
  const found: (string | undefined)[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const mark = marks.indexOf((headers[i] as string).toLowerCase());
    if (mark >= 0) found[mark] = headers[i + 1];
  }
  const [component, code, reason] = found;
  return component === undefined || code === undefined ? undefined : { code, reason };
};

export class LoggedCall extends InvokeCall {
  readonly #log: CallLog;
  readonly #request: Invocation;
  readonly #beganMs = performance.now();
  #grantedMs: number | undefined;
  #headMs: number | undefined;
  #endpointId: string | undefined;
  #said: Failure | undefined;
  #left = false;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(parts: CallParts, invocation: Invocation, sink: Sink, log: CallLog) {
    super(parts, invocation, sink);
    this.#log = log;
    this.#request = invocation;
    if (invocation.body instanceof Uint8Array) this.#bytesIn = invocation.body.length;
  }

  override granted(endpoint: EndpointState): void {
    this.#grantedMs ??= performance.now();
    this.#endpointId = endpoint.id;
    super.granted(endpoint);
  }

  override passed(bytes: number): void {
    this.#bytesIn += bytes;
    super.passed(bytes);
  }

  override head(status: number, statusText: string, headers: string[]): void {
    this.#headMs = performance.now();
    if (status >= 400) this.#said = failureIn(headers);
    super.head(status, statusText, headers);
  }

  override cancel(): void {
    this.#left = true;
    super.cancel();
  }

  override data(chunk: Uint8Array): boolean {
    this.#bytesOut += chunk.length;
    return super.data(chunk);
  }

  protected override countsBody(): boolean {
    return true;
  }

  protected override concluded(status: number, error: FaasError | undefined): void {
    const { callId, key, method, origin } = this.#request;
    this.#log.write({
      callId,
      fn: key,
      method,
      origin,
      status,
      error: error ?? this.#said,
      left: this.#left,
      endpoint: this.#endpointId,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      beganMs: this.#beganMs,
      grantedMs: this.#grantedMs,
      headMs: this.#headMs,
      endedMs: performance.now(),
    });
  }
}

// A call that is written to the access log: the same, with a clock at each of its steps and its bytes counted.
import type { FaasError } from '../../provider/types/errors.ts';
import type { CallLog } from '../http/call-log.ts';
import { type CallParts, InvokeCall } from './call.ts';
import type { EndpointState } from './endpoint.ts';
import type { Invocation, Sink } from './invocation.ts';

export class LoggedCall extends InvokeCall {
  readonly #log: CallLog;
  readonly #request: Invocation;
  readonly #beganMs = performance.now();
  #grantedMs: number | undefined;
  #headMs: number | undefined;
  #endpointId: string | undefined;
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
    super.head(status, statusText, headers);
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
      error,
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

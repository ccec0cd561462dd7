// One call on its way through the three steps: it waits for an endpoint, passes the answer on, and gives everything back.
import { Readable } from 'node:stream';
import { formatDuration, longestTimerMs } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { internalHeader } from '../../provider/types/headers.ts';
import { callerLeft } from '../http/caller-left.ts';
import { type AcquireParts, Claim, type Claimant } from './acquire.ts';
import { type Connections, createConnections } from './connections.ts';
import type { EndpointState } from './endpoint.ts';
import { type ForwardFailure, Forwarding, type Receiver } from './forward.ts';
import type { Call, Invocation, Sink } from './invocation.ts';
import { watchdogFirstMs } from './limits.ts';
import type { BodyProgress } from './request-body.ts';
import type { FunctionEntry } from './table.ts';
import type { EndpointWatch } from './watch-endpoints.ts';

export type CallParts = AcquireParts & {
  readonly upstreamTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** What every connection to an endpoint reads into. */
  readonly readBuffer: Buffer;
  readonly watch: EndpointWatch;
};

/** Waits between tries while the only endpoint refuses connections, in ms: it is about to be reported gone, or overrun. */
const retryDelaysMs = [2, 5, 10, 20, 40, 80, 160, 320];

/** Endpoints tried one after the other without a wait: each that refuses is left out for the next. */
const maxHops = 20;

const connectionsOf = (endpoint: EndpointState, { connectTimeoutMs, readBuffer }: CallParts): Connections => {
  endpoint.transport ??= createConnections({ address: endpoint.address, connectTimeoutMs, readBuffer });
  return endpoint.transport as Connections;
};

const longestNote = 300;
const watchdogMark = internalHeader.toLowerCase();

/** Who answers in the function's place. */
const answererOf = (headers: readonly string[]): string | undefined => {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]?.toLowerCase() === watchdogMark) return headers[i + 1];
  return undefined;
};

const isFromWatchdog = (headers: readonly string[]): boolean => answererOf(headers) === 'watchdog';

const failureError = (key: string, { kind, cause }: ForwardFailure): FaasError => {
  if (kind === 'unsendable') return new FaasError('invalid', `request cannot be forwarded: ${cause.message}`, { cause });
  const text =
    kind === 'unreached'
      ? `function ${key} could not be reached: ${cause.message}`
      : `function ${key} closed the connection or answered garbage before its answer was complete: ${cause.message}`;
  return new FaasError('upstream', text, { cause });
};

export class InvokeCall implements Call, Claimant, Receiver, BodyProgress {
  readonly #parts: CallParts;
  readonly #invocation: Invocation;
  readonly #sink: Sink;
  readonly #claim: Claim;
  #entry: FunctionEntry | undefined;
  #endpoint: EndpointState | undefined;
  #startedAt = 0;
  #forwarding: Forwarding | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** How long the transfer may take; 0 for as long as it likes. */
  #limitMs = 0;
  /** Runs while something is being streamed, where silence is limited. */
  #silence: NodeJS.Timeout | undefined;
  #tries = 0;
  #hops = 0;
  #status = 0;
  #over = false;
  /** The watchdog answers that the function was too slow; its first bytes say how. */
  #isTimeout = false;

  constructor(parts: CallParts, invocation: Invocation, sink: Sink) {
    this.#parts = parts;
    this.#invocation = invocation;
    this.#sink = sink;
    this.#claim = new Claim(parts, this, invocation.origin === 'http');
  }

  begin(): void {
    this.#claim.begin(this.#invocation.key);
  }

  cancel(): void {
    if (this.#over) return;
    this.#forwarding?.abort();
    this.#release(this.#status || callerLeft);
  }

  resume(): void {
    this.#silence?.refresh();
    this.#forwarding?.resume();
  }

  passed(_bytes: number): void {
    this.#silence?.refresh();
  }

  complete(): void {
    // Now the function may think as long as it likes before it answers.
    if (this.#status === 0) this.#stopSilence();
  }

  known(entry: FunctionEntry): void {
    this.#entry = entry;
    this.#startedAt = performance.now();
    entry.counts.started();
  }

  granted(endpoint: EndpointState): void {
    if (this.#timer === undefined) this.#startTimer();
    this.#endpoint = endpoint;
    this.#forwarding = new Forwarding(connectionsOf(endpoint, this.#parts), this);
    const limited = (this.#entry as FunctionEntry).limits.idleTimeoutMs > 0;
    if (limited && this.#invocation.body instanceof Readable) this.#startSilence();
    this.#forwarding.send(this.#invocation, limited || this.countsBody() ? this : undefined);
  }

  refused(error: FaasError): void {
    this.#fail(error);
  }

  informational(status: number, headers: string[]): void {
    if (!this.#over) this.#sink.informational(status, headers);
  }

  head(status: number, statusText: string, headers: string[]): void {
    if (this.#over) return;
    this.#status = status;
    this.#claim.answered();
    this.#isTimeout = status === 504 && isFromWatchdog(headers);
    const endpoint = this.#endpoint as EndpointState;
    endpoint.answers += 1;
    // OpenFaaS's watchdog ends its function first and then answers for it.
    if (status >= 500 && endpoint.gone && answererOf(headers) !== undefined) this.#noteCut();
    if ((this.#entry as FunctionEntry).limits.idleTimeoutMs > 0) this.#startSilence();
    try {
      this.#sink.head(status, statusText, headers);
    } catch (error) {
      this.#status = 0;
      this.#forwarding?.abort();
      const text = `function ${this.#invocation.key} answered with a head that cannot be sent: ${(error as Error).message}`;
      this.#fail(new FaasError('upstream', text, { cause: error }));
    }
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isTimeout) this.#noteTimeout(Buffer.from(chunk.subarray(0, longestNote)).toString());
    this.#silence?.refresh();
    return this.#over || this.#sink.data(chunk);
  }

  ended(trailers: string[] | undefined): void {
    if (this.#over) return;
    try {
      this.#sink.end(trailers);
    } catch (error) {
      const text = `function ${this.#invocation.key} answered with trailers that cannot be sent: ${(error as Error).message}`;
      this.#fail(new FaasError('upstream', text, { cause: error }));
      return;
    }
    this.#release(this.#status);
  }

  failed(failure: ForwardFailure): void {
    if (this.#over) return;
    this.#forwarding = undefined;
    if (failure.retryable) {
      this.#parts.watch.refused(this.#entry as FunctionEntry, this.#endpoint as EndpointState);
      if (this.#retry()) return;
    }
    if (failure.kind === 'broken') this.#noteCut();
    this.#fail(failureError(this.#invocation.key, failure));
  }

  #noteCut(): void {
    this.#entry?.counts.cut(this.#endpoint?.gone === true);
  }

  #noteTimeout(text: string): void {
    this.#isTimeout = false;
    this.#entry?.noteTimeout(text.trim(), (this.#parts.now ?? Date.now)());
  }

  /** Goes to another endpoint at once, or tries again a little later; false when it has been patient enough. */
  #retry(): boolean {
    const { ready } = this.#entry as FunctionEntry;
    if (ready[0]?.out !== true && this.#hops < maxHops) {
      this.#hops += 1;
      this.#claim.again();
      return true;
    }
    const delayMs = retryDelaysMs[this.#tries];
    if (delayMs === undefined) return false;
    this.#tries += 1;
    setTimeout(() => {
      if (!this.#over) this.#claim.again();
    }, delayMs);
    return true;
  }

  #startTimer(): void {
    this.#limitMs = (this.#entry as FunctionEntry).timeoutMs ?? this.#parts.upstreamTimeoutMs;
    if (this.#limitMs > 0)
      this.#timer = setTimeout(InvokeCall.#expired, Math.min(this.#limitMs + watchdogFirstMs, longestTimerMs), this);
  }

  static #expired(call: InvokeCall): void {
    call.#forwarding?.abort();
    const limit = formatDuration(call.#limitMs);
    const text = `function ${call.#invocation.key} did not finish its answer within ${limit}, the limit of the gateway for this call (upstream_timeout, or the function's sluice.dev/timeout)`;
    call.#noteTimeout(text);
    call.#fail(new FaasError('timeout', text, { reason: 'UpstreamTimeout' }));
  }

  #startSilence(): void {
    const limitMs = Math.min((this.#entry as FunctionEntry).limits.idleTimeoutMs, longestTimerMs);
    if (this.#silence === undefined) this.#silence = setTimeout(InvokeCall.#fellSilent, limitMs, this);
    else this.#silence.refresh();
  }

  #stopSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  static #fellSilent(call: InvokeCall): void {
    call.#forwarding?.abort();
    const limit = formatDuration((call.#entry as FunctionEntry).limits.idleTimeoutMs);
    const text = `caller and function ${call.#invocation.key} sent no byte for ${limit}, the limit of the gateway for the silence of a stream (idle-timeout, or the function's sluice.dev/idle-timeout)`;
    call.#fail(new FaasError('timeout', text, { reason: 'IdleTimeout' }));
  }

  #fail(error: FaasError): void {
    if (this.#over) return;
    this.#sink.failed(error);
    this.#release(this.#status || error.status, error);
  }

  #release(status: number, error?: FaasError): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#silence !== undefined) this.#stopSilence();
    this.#claim.release();
    this.#entry?.counts.finished(status, (performance.now() - this.#startedAt) / 1000);
    this.concluded(status, error);
  }

  /** For those who want to know more of a call: whether they count the bytes of its body, and how it ended. */
  protected countsBody(): boolean {
    return false;
  }

  protected concluded(_status: number, _error: FaasError | undefined): void {}
}

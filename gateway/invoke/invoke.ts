// A call, whoever makes it, in three steps: acquire an endpoint, transfer request and answer, release.
import type { Provider } from '../../provider/provider.ts';
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { internalHeader } from '../../provider/types/headers.ts';
import { type AcquireParts, type Activator, Claim, type Claimant } from './acquire.ts';
import { type Connections, createConnections } from './connections.ts';
import type { EndpointState } from './endpoint.ts';
import { type ForwardFailure, Forwarding, type Receiver } from './forward.ts';
import type { Call, Invocation, Invoke, Sink } from './invocation.ts';
import { createLookup } from './lookup.ts';
import type { InvokeMetrics } from './metrics.ts';
import { callerLeft } from './outcome.ts';
import type { FunctionEntry, FunctionTable } from './table.ts';
import { createUpgrader, type Upgrade } from './upgrade.ts';

export type InvokerParts = {
  readonly table: FunctionTable;
  readonly provider: Pick<Provider, 'get'>;
  readonly activator: Activator;
  readonly metrics: InvokeMetrics;
  /** Limit for one call of a function that has none of its own; 0 for none. */
  readonly upstreamTimeoutMs: number;
  readonly connectTimeoutMs?: number;
  /** As Math.random. */
  readonly random?: () => number;
  /** As Date.now. */
  readonly now?: () => number;
};

export interface Invoker {
  readonly invoke: Invoke;
  readonly upgrade: Upgrade;
}

type CallParts = AcquireParts & { readonly upstreamTimeoutMs: number; readonly connectTimeoutMs: number };

/** Waits between tries while the only endpoint refuses connections, in ms: it is about to be reported gone, or overrun. */
const retryDelaysMs = [2, 5, 10, 20, 40, 80, 160, 320];

const connectionsOf = (endpoint: EndpointState, connectTimeoutMs: number): Connections => {
  endpoint.transport ??= createConnections(endpoint.address, connectTimeoutMs);
  return endpoint.transport as Connections;
};

const longestTimerMs = 2 ** 31 - 1;

/** How long the transfer may take; 0 for as long as it likes. */
const transferLimitMs = (entry: FunctionEntry, invocation: Invocation, defaultMs: number, nowMs: number): number => {
  const own = entry.timeoutMs ?? defaultMs;
  if (invocation.deadlineMs === undefined) return Math.min(own, longestTimerMs);
  const left = Math.max(1, invocation.deadlineMs - nowMs);
  return Math.min(own === 0 ? left : own, left, longestTimerMs);
};

/** The watchdog has the same limit and knows better what it cut, and the function's log gets it: it is to answer first. */
const watchdogFirstMs = 100;
const longestNote = 300;
const watchdogMark = internalHeader.toLowerCase();

const isFromWatchdog = (headers: readonly string[]): boolean => {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.toLowerCase() === watchdogMark) return headers[i + 1] === 'watchdog';
  return false;
};

const failureError = (key: string, { kind, cause }: ForwardFailure): FaasError => {
  if (kind === 'unsendable') return new FaasError('invalid', `request cannot be forwarded: ${cause.message}`, { cause });
  const text =
    kind === 'unreached'
      ? `function ${key} could not be reached: ${cause.message}`
      : `function ${key} closed the connection or answered garbage before its answer was complete: ${cause.message}`;
  return new FaasError('upstream', text, { cause });
};

class InvokeCall implements Call, Claimant, Receiver {
  readonly #parts: CallParts;
  readonly #invocation: Invocation;
  readonly #sink: Sink;
  readonly #claim: Claim;
  #entry: FunctionEntry | undefined;
  #startedAt = 0;
  #forwarding: Forwarding | undefined;
  #timer: NodeJS.Timeout | undefined;
  #limitMs = 0;
  #tries = 0;
  #status = 0;
  #over = false;
  /** The watchdog answers that the function was too slow; its first bytes say how. */
  #isTimeout = false;

  constructor(parts: CallParts, invocation: Invocation, sink: Sink) {
    this.#parts = parts;
    this.#invocation = invocation;
    this.#sink = sink;
    this.#claim = new Claim(parts, this);
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
    this.#forwarding?.resume();
  }

  known(entry: FunctionEntry): void {
    this.#entry = entry;
    this.#startedAt = performance.now();
    this.#parts.metrics.started(entry.key);
  }

  granted(endpoint: EndpointState): void {
    if (this.#timer === undefined) this.#startTimer();
    this.#forwarding = new Forwarding(connectionsOf(endpoint, this.#parts.connectTimeoutMs), this);
    this.#forwarding.send(this.#invocation);
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
    this.#isTimeout = status === 504 && isFromWatchdog(headers);
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
    if (failure.retryable && this.#tries < retryDelaysMs.length) {
      this.#retry();
      return;
    }
    this.#fail(failureError(this.#invocation.key, failure));
  }

  #noteTimeout(text: string): void {
    this.#isTimeout = false;
    this.#entry?.noteTimeout(text.trim(), (this.#parts.now ?? Date.now)());
  }

  #retry(): void {
    const delayMs = retryDelaysMs[this.#tries] as number;
    this.#tries += 1;
    if ((this.#entry as FunctionEntry).ready.length > 1 && this.#tries === 1) {
      this.#claim.again();
      return;
    }
    setTimeout(() => {
      if (!this.#over) this.#claim.again();
    }, delayMs);
  }

  #startTimer(): void {
    this.#limitMs = transferLimitMs(this.#entry as FunctionEntry, this.#invocation, this.#parts.upstreamTimeoutMs, Date.now());
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

  #fail(error: FaasError): void {
    if (this.#over) return;
    this.#sink.failed(error);
    this.#release(this.#status || error.status, error);
  }

  #release(status: number, error?: FaasError): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#claim.release();
    let seconds = 0;
    if (this.#entry !== undefined) {
      seconds = (performance.now() - this.#startedAt) / 1000;
      this.#parts.metrics.finished(this.#entry.key, status, seconds);
    }
    this.#sink.released?.({ status, seconds, error });
  }
}

export const createInvoker = (parts: InvokerParts): Invoker => {
  const { table, provider, upstreamTimeoutMs } = parts;
  // A provider that says nothing must not hold a caller longer than a function that says nothing would.
  const lookup = createLookup({ table, provider, limitMs: upstreamTimeoutMs || 60_000, now: parts.now });
  const callParts: CallParts = { ...parts, lookup, connectTimeoutMs: parts.connectTimeoutMs ?? 5000 };
  return {
    invoke(invocation, sink) {
      const call = new InvokeCall(callParts, invocation, sink);
      call.begin();
      return call;
    },
    upgrade: createUpgrader(callParts),
  };
};

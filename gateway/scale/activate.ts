// Holds the callers of functions that have no replica, in the order they came, and wakes each such function once.
import type { Provider } from '../../provider/provider.ts';
import { FaasError, toFaasError } from '../../provider/types/errors.ts';
import type { Activator, Waiter } from '../invoke/acquire.ts';
import type { FunctionEntry, FunctionTable } from '../invoke/table.ts';
import { WaitingLine } from './line.ts';

export type ActivatorParts = {
  readonly table: Pick<FunctionTable, 'subscribe'>;
  readonly provider: Pick<Provider, 'scale'>;
  /** How long a caller is held. */
  readonly waitLimitMs: number;
  /** Callers held per function, 10,000 unless told; more are answered 503. */
  readonly maxWaiting?: number | undefined;
  readonly now?: (() => number) | undefined;
  /** Told of every order to wake a function. */
  readonly onOrder?: ((key: string) => void) | undefined;
};

/** The answer to callers of a function that fails. */
export const failureError = (entry: FunctionEntry, nowMs: number): FaasError | undefined => {
  const failure = entry.report.failure;
  if (failure === undefined) return undefined;
  const retryAfterS = failure.retryAtMs === undefined ? undefined : Math.max(1, Math.ceil((failure.retryAtMs - nowMs) / 1000));
  return new FaasError('unavailable', `function ${entry.key} cannot run: ${failure.reason}: ${failure.message}`, {
    reason: failure.reason,
    retryAfterS,
  });
};

const removedError = (entry: FunctionEntry): FaasError => new FaasError('not-found', `function ${entry.key} was removed`);

const wakeError = (entry: FunctionEntry, cause: unknown): FaasError => {
  const { code, message, reason } = toFaasError(cause);
  const text = `function ${entry.key} could not be started: ${message}`;
  return new FaasError(code === 'internal' ? 'unavailable' : code, text, { cause, reason, retryAfterS: 1 });
};

/** Why a new caller need not get in line; `undefined` when waiting makes sense. */
const hopeless = (
  entry: FunctionEntry,
  line: WaitingLine | undefined,
  maxWaiting: number,
  nowMs: number,
): FaasError | undefined => {
  if (entry.removed) return removedError(entry);
  // A function at zero that nobody will try again by itself gets its next try from this caller.
  const sleeps = entry.asleep && entry.report.failure?.retryAtMs === undefined;
  const failure = sleeps || entry.ready.length > 0 ? undefined : failureError(entry, nowMs);
  if (failure !== undefined || line === undefined || line.size < maxWaiting) return failure;
  const text = `function ${entry.key} has no replica yet and ${maxWaiting} callers wait for one already`;
  return new FaasError('unavailable', text, { reason: 'TooManyWaiting', retryAfterS: 1 });
};

class FunctionActivator implements Activator {
  readonly #parts: ActivatorParts;
  readonly #maxWaiting: number;
  readonly #now: () => number;
  readonly #lines = new Map<FunctionEntry, WaitingLine>();
  /** Functions ordered to wake that have not answered to it; `asking` until the provider has taken the order. */
  readonly #orders = new Map<FunctionEntry, 'asking' | 'done'>();
  readonly #unsubscribe: () => void;

  constructor(parts: ActivatorParts) {
    this.#parts = parts;
    this.#maxWaiting = parts.maxWaiting ?? 10_000;
    this.#now = parts.now ?? Date.now;
    this.#unsubscribe = parts.table.subscribe((entry) => this.#changed(entry));
  }

  wait(entry: FunctionEntry, waiter: Waiter): void {
    const before = this.#lines.get(entry);
    const error = hopeless(entry, before, this.#maxWaiting, this.#now());
    if (error !== undefined) {
      waiter.refuse(error);
      return;
    }
    const line = before ?? new WaitingLine(entry);
    this.#lines.set(entry, line);
    const { waitLimitMs } = this.#parts;
    line.join(waiter, waitLimitMs, () => {
      this.#dropEmpty(entry, line);
      const text = `function ${entry.key} had no replica within ${waitLimitMs}ms, the gateway's limit for waiting (upstream_timeout)`;
      waiter.refuse(new FaasError('timeout', text, { reason: 'NoReplica' }));
    });
    if (entry.ready.length > 0) this.#wakeAll(entry, line);
    else if (entry.asleep && !this.#orders.has(entry)) this.#order(entry);
  }

  leave(entry: FunctionEntry, waiter: Waiter): void {
    const line = this.#lines.get(entry);
    if (line?.leave(waiter)) this.#dropEmpty(entry, line);
  }

  /** Sends everyone away. */
  close(): void {
    this.#unsubscribe();
    const error = new FaasError('unavailable', 'the gateway is shutting down', { retryAfterS: 1 });
    for (const [entry, line] of this.#lines) this.#refuseAll(entry, line, error);
  }

  #changed(entry: FunctionEntry): void {
    const failure = failureError(entry, this.#now());
    // An order is used up by a replica, by a failure, and by somebody who puts the function back to sleep.
    const answered = entry.removed || entry.ready.length > 0 || failure !== undefined;
    if (answered || (entry.asleep && this.#orders.get(entry) === 'done')) this.#orders.delete(entry);
    const line = this.#lines.get(entry);
    if (line === undefined) return;
    if (entry.removed) this.#refuseAll(entry, line, removedError(entry));
    else if (entry.ready.length > 0) this.#wakeAll(entry, line);
    else if (failure !== undefined) this.#refuseAll(entry, line, failure);
    else if (entry.asleep && !this.#orders.has(entry)) this.#order(entry);
  }

  #order(entry: FunctionEntry): void {
    this.#orders.set(entry, 'asking');
    this.#parts.onOrder?.(entry.key);
    // One that only dozes keeps what it has.
    const replicas = entry.report.replicas || Math.max(1, entry.scale.min);
    this.#parts.provider.scale(entry.ref, replicas).then(
      () => {
        if (this.#orders.has(entry)) this.#orders.set(entry, 'done');
      },
      (cause: unknown) => {
        this.#orders.delete(entry);
        const line = this.#lines.get(entry);
        if (line !== undefined) this.#refuseAll(entry, line, wakeError(entry, cause));
      },
    );
  }

  #wakeAll(entry: FunctionEntry, line: WaitingLine): void {
    line.letGo(
      () => entry.ready.length > 0,
      (waiter) => {
        this.#dropEmpty(entry, line);
        waiter.wake();
      },
    );
  }

  #refuseAll(entry: FunctionEntry, line: WaitingLine, error: FaasError): void {
    line.letGo(
      () => true,
      (waiter) => {
        this.#dropEmpty(entry, line);
        waiter.refuse(error);
      },
    );
  }

  #dropEmpty(entry: FunctionEntry, line: WaitingLine): void {
    if (line.size === 0 && this.#lines.get(entry) === line) this.#lines.delete(entry);
  }
}

export const createActivator = (parts: ActivatorParts): Activator & { close(): void } => new FunctionActivator(parts);

// Holds the callers of functions that have no replica, in the order they came, and wakes each such function once.
import type { Provider } from '../../provider/provider.ts';
import { FaasError, toFaasError } from '../../provider/types/errors.ts';
import type { Activator, Waiter } from '../invoke/acquire.ts';
import type { FunctionEntry, FunctionTable } from '../invoke/table.ts';

export type ActivatorParts = {
  readonly table: Pick<FunctionTable, 'subscribe'>;
  readonly provider: Pick<Provider, 'scale'>;
  /** How long a caller is held. */
  readonly waitLimitMs: number;
  /** Callers held per function; more are answered 503. */
  readonly maxWaiting?: number;
  readonly now?: () => number;
};

type Line = {
  /** In order of arrival, each with the timer of its limit. */
  readonly waiters: Map<Waiter, NodeJS.Timeout>;
  /** What happens to those in line while they are let go; false keeps the rest in line. */
  visit: ((waiter: Waiter) => boolean) | undefined;
};

/** Callers let go in one turn of the event loop, which must stay short. */
const slice = 50;

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

export const createActivator = (parts: ActivatorParts): Activator & { close(): void } => {
  const { provider, waitLimitMs } = parts;
  const maxWaiting = parts.maxWaiting ?? 10_000;
  const now = parts.now ?? Date.now;
  const lines = new Map<FunctionEntry, Line>();
  /** Functions ordered to wake that have not answered to it; `asking` until the provider has taken the order. */
  const wakeUps = new Map<FunctionEntry, 'asking' | 'done'>();

  const remove = (entry: FunctionEntry, line: Line, waiter: Waiter): boolean => {
    const timer = line.waiters.get(waiter);
    if (timer === undefined) return false;
    clearTimeout(timer);
    line.waiters.delete(waiter);
    entry.waiting -= 1;
    if (line.waiters.size === 0) lines.delete(entry);
    return true;
  };

  /** Lets everyone go who is in line, a slice per turn. */
  const letGo = (line: Line, visit: (waiter: Waiter) => boolean): void => {
    const running = line.visit !== undefined;
    line.visit = visit;
    if (running) return;
    const step = (): void => {
      let left = slice;
      for (const waiter of line.waiters.keys()) {
        if (left === 0) {
          setImmediate(step);
          return;
        }
        left -= 1;
        if (line.visit?.(waiter) !== true) break;
      }
      line.visit = undefined;
    };
    step();
  };

  const wakeAll = (entry: FunctionEntry, line: Line): void =>
    letGo(line, (waiter) => {
      if (entry.ready.length === 0) return false;
      remove(entry, line, waiter);
      waiter.wake();
      return true;
    });

  const refuseAll = (entry: FunctionEntry, line: Line, error: FaasError): void =>
    letGo(line, (waiter) => {
      remove(entry, line, waiter);
      waiter.refuse(error);
      return true;
    });

  const wakeUp = (entry: FunctionEntry): void => {
    wakeUps.set(entry, 'asking');
    provider.scale(entry.ref, Math.max(1, entry.scale.min)).then(
      () => {
        if (wakeUps.has(entry)) wakeUps.set(entry, 'done');
      },
      (error: unknown) => {
        wakeUps.delete(entry);
        const line = lines.get(entry);
        if (line === undefined) return;
        const { code, message, reason } = toFaasError(error);
        const text = `function ${entry.key} could not be started: ${message}`;
        refuseAll(
          entry,
          line,
          new FaasError(code === 'internal' ? 'unavailable' : code, text, { cause: error, reason, retryAfterS: 1 }),
        );
      },
    );
  };

  const changed = (entry: FunctionEntry): void => {
    const failure = failureError(entry, now());
    const settled = entry.removed || entry.ready.length > 0 || failure !== undefined;
    // Put back to zero after the order to wake was taken: that order is used up.
    if (settled || (entry.report.replicas === 0 && wakeUps.get(entry) === 'done')) wakeUps.delete(entry);
    const line = lines.get(entry);
    if (line === undefined) return;
    if (entry.removed) refuseAll(entry, line, new FaasError('not-found', `function ${entry.key} was removed`));
    else if (entry.ready.length > 0) wakeAll(entry, line);
    else if (failure !== undefined) refuseAll(entry, line, failure);
    else if (entry.report.replicas === 0 && !wakeUps.has(entry)) wakeUp(entry);
  };

  const stop = parts.table.subscribe(changed);

  return {
    wait(entry, waiter) {
      if (entry.removed) {
        waiter.refuse(new FaasError('not-found', `function ${entry.key} was removed`));
        return;
      }
      // A function at zero that nobody will try again by itself gets its next try from this caller.
      const sleeping = entry.report.replicas === 0 && entry.report.failure?.retryAtMs === undefined;
      const failure = sleeping || entry.ready.length > 0 ? undefined : failureError(entry, now());
      if (failure !== undefined) {
        waiter.refuse(failure);
        return;
      }
      let line = lines.get(entry);
      if (line !== undefined && line.waiters.size >= maxWaiting) {
        const text = `function ${entry.key} has no replica yet and ${maxWaiting} callers wait for one already`;
        waiter.refuse(new FaasError('unavailable', text, { reason: 'TooManyWaiting', retryAfterS: 1 }));
        return;
      }
      if (line === undefined) {
        line = { waiters: new Map(), visit: undefined };
        lines.set(entry, line);
      }
      const held = line;
      const limit = setTimeout(() => {
        if (!remove(entry, held, waiter)) return;
        const text = `function ${entry.key} had no replica within ${waitLimitMs}ms, the gateway's limit for waiting (upstream_timeout)`;
        waiter.refuse(new FaasError('timeout', text, { reason: 'NoReplica' }));
      }, waitLimitMs);
      line.waiters.set(waiter, limit);
      entry.waiting += 1;
      if (entry.ready.length > 0) wakeAll(entry, line);
      else if (entry.report.replicas === 0 && !wakeUps.has(entry)) wakeUp(entry);
    },
    leave(entry, waiter) {
      const line = lines.get(entry);
      if (line !== undefined) remove(entry, line, waiter);
    },
    close() {
      stop();
      const error = new FaasError('unavailable', 'the gateway is shutting down', { retryAfterS: 1 });
      for (const [entry, line] of lines) {
        for (const waiter of [...line.waiters.keys()]) {
          remove(entry, line, waiter);
          waiter.refuse(error);
        }
      }
    },
  };
};

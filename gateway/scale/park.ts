// Puts functions that nobody calls to sleep, where a running replica costs this machine memory. They wake on the next call.
import type { Provider } from '../../provider/provider.ts';
import type { FunctionEntry, FunctionTable } from '../invoke/table.ts';

export type ParkParts = {
  readonly table: Pick<FunctionTable, 'entries'>;
  readonly provider: Pick<Provider, 'scale' | 'parksIdle'>;
  /** How long without a call is idle; 0 never parks. */
  readonly parkIdleMs: number;
  readonly now?: () => number;
  /** Told when a function could not be parked; it is tried again later. */
  readonly onError?: (entry: FunctionEntry, error: unknown) => void;
};

/**
 * Whether a function may be parked now: it runs, nobody uses or awaits it, and its operator left its size to us
 * (a minimum or automatic scaling means another owner).
 */
export const isParkable = (entry: FunctionEntry, nowMs: number, parkIdleMs: number): boolean =>
  entry.report.replicas > 0 &&
  entry.inFlight === 0 &&
  !entry.scale.hasMin &&
  !entry.scale.automatic &&
  nowMs - entry.lastCallMs >= parkIdleMs;

/** Functions looked at in one turn of the event loop. */
const slice = 1000;

export const createParking = (parts: ParkParts): { close(): void } => {
  const { table, provider, parkIdleMs } = parts;
  const now = parts.now ?? Date.now;
  if (!provider.parksIdle || parkIdleMs === 0) return { close: () => {} };
  const parking = new Set<FunctionEntry>();
  let rest: NodeJS.Immediate | undefined;

  const park = async (entry: FunctionEntry): Promise<void> => {
    parking.add(entry);
    try {
      await provider.scale(entry.ref, 0);
    } catch (error) {
      parts.onError?.(entry, error);
    } finally {
      parking.delete(entry);
    }
  };

  const look = (entries: Iterator<FunctionEntry>): void => {
    rest = undefined;
    for (let left = slice; left > 0; left -= 1) {
      const { value, done } = entries.next();
      if (done) return;
      if (!parking.has(value) && isParkable(value, now(), parkIdleMs)) void park(value);
    }
    rest = setImmediate(look, entries);
  };

  // Ten looks per idle time are exact enough, and a minute is often enough for any.
  const everyMs = Math.max(20, Math.min(60_000, parkIdleMs / 10));
  const timer = setInterval(() => {
    if (rest === undefined) look(table.entries()[Symbol.iterator]());
  }, everyMs);
  timer.unref();

  return {
    close() {
      clearInterval(timer);
      clearImmediate(rest);
    },
  };
};

// Waiting for something that has no event to wait for.
import { setTimeout as sleep } from 'node:timers/promises';

export type EventuallyOptions = {
  /** What is waited for, for the message. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
};

const shown = (value: unknown): string => (value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value)));

/**
 * Calls `check` until it returns something truthy, and returns that. A throw counts as not yet.
 * @throws Error with what was waited for and the last value or error, when the time is up
 */
export const eventually = async <T>(
  check: () => T | Promise<T>,
  { what, timeoutMs = 30_000, intervalMs = 10 }: EventuallyOptions,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await check();
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}; last: ${shown(last)}`, { cause: last });
    }
    await sleep(intervalMs);
  }
};

/** @throws Error naming `what` when the promise is not settled in time */
export const within = async <T>(promise: Promise<T>, what: string, timeoutMs = 30_000): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms: ${what}`)), timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

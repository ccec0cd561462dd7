// When an endpoint is left out, and for how long. Pure: time comes in, nothing goes out. watch-endpoints.ts acts on it.

/** What is seen of an endpoint that has calls. */
export type Sighting = {
  /** Answers begun when it was looked at first. */
  readonly answers: number;
  /** Calls it had when it last proved alive, or 0. */
  readonly proven: number;
  /** Since when it has begun no answer, or has not proved alive, in ms. */
  readonly quietSinceMs: number;
};

export type Load = { readonly inFlight: number; readonly answers: number };

/**
 * The next sighting of an endpoint; `undefined` while it has no calls, and thus nothing to answer. Calls that a live
 * endpoint takes its time with, open streams among them, do not count again: new ones do.
 */
export const look = (before: Sighting | undefined, load: Load, nowMs: number): Sighting | undefined => {
  const { inFlight, answers } = load;
  if (inFlight === 0) return undefined;
  if (before === undefined || before.answers !== answers) return { answers, proven: 0, quietSinceMs: nowMs };
  const hasNew = before.proven > 0 && inFlight > before.proven;
  return hasNew ? { answers, proven: 0, quietSinceMs: nowMs } : before;
};

/** It has proved alive, with these calls unanswered. */
export const proved = (load: Load, nowMs: number): Sighting => ({
  answers: load.answers,
  proven: load.inFlight,
  quietSinceMs: nowMs,
});

/** Whether an endpoint should be asked if it is alive. */
export const isSuspect = (seen: Sighting | undefined, nowMs: number, quietMs: number): boolean =>
  seen !== undefined && seen.proven === 0 && nowMs - seen.quietSinceMs >= quietMs;

const shortestPauseMs = 50;
const longestPauseMs = 5000;

/** How long an endpoint is left alone after so many failures in a row, 1 or more. */
export const pauseMs = (failures: number): number => Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(failures - 1, 10));

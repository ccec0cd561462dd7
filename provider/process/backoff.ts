// When a replica that ended is started again.

export type BackoffPolicy = {
  /** A replica that answered this long was fine: its end counts as the first failure again, and it restarts at once. */
  readonly stableMs: number;
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
};

export type Backoff = {
  /** Failures in a row. */
  readonly failures: number;
  /** ms since 1970 before which nothing starts; 0 when nothing is held back. */
  readonly retryAtMs: number;
  /** When the last failure was counted, in ms since 1970. */
  readonly failedAtMs: number;
};

export const noBackoff: Backoff = { failures: 0, retryAtMs: 0, failedAtMs: 0 };

export type Ending = {
  readonly startedAtMs: number;
  /** How long it answered calls; 0 when it never did. */
  readonly answeredMs: number;
};

/**
 * The back-off after one more replica ended by itself. Replicas that were started together and fail together count once,
 * or a function with ten replicas would wait for the longest pause after its first failure.
 */
export const nextBackoff = (policy: BackoffPolicy, before: Backoff, ending: Ending, nowMs: number): Backoff => {
  if (ending.answeredMs >= policy.stableMs) return { failures: 0, retryAtMs: before.retryAtMs, failedAtMs: before.failedAtMs };
  if (before.failures > 0 && ending.startedAtMs < before.failedAtMs) return before;
  const delayMs = Math.min(policy.maxMs, policy.firstMs * policy.factor ** before.failures);
  return { failures: before.failures + 1, retryAtMs: nowMs + delayMs, failedAtMs: nowMs };
};

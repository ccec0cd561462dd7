// What a function's replicas have failed with since it was last changed.
import type { FunctionFailure } from '../provider.ts';
import { type Backoff, type BackoffPolicy, type Ending, nextBackoff, noBackoff } from './backoff.ts';
import { type Cause, toFailure } from './failure.ts';

export type Trouble = {
  readonly backoff: Backoff;
  /** Why the wanted revision does not run; absent once a replica answers. */
  readonly failure: FunctionFailure | undefined;
  /** The last end, in words: stays when the next replica answers. */
  readonly lastEnd: string | undefined;
};

export const noTrouble: Trouble = { backoff: noBackoff, failure: undefined, lastEnd: undefined };

/** The trouble after one more replica ended by itself. */
export const nextTrouble = (policy: BackoffPolicy, before: Trouble, cause: Cause, ending: Ending, nowMs: number): Trouble => {
  const backoff = nextBackoff(policy, before.backoff, ending, nowMs);
  const { failures, retryAtMs } = backoff;
  return {
    backoff,
    failure: failures > 0 ? toFailure(cause, failures, retryAtMs) : before.failure,
    lastEnd: `the last replica that failed, at ${new Date(nowMs).toISOString()}: ${cause.message}`,
  };
};

/** The trouble once a replica answers: the back-off and the words stay, should it end again soon. */
export const overcome = (before: Trouble): Trouble => (before.failure === undefined ? before : { ...before, failure: undefined });

// What the open-loop load generator is told, and what it answers. Shared by load.ts and its worker process.
import type { Address } from '../../provider/provider.ts';

export type LoadPlan = {
  readonly target: Address;
  /** Path and query of every call. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Calls begun per second, whatever became of those before. */
  readonly ratePerS: number;
  /** Every n-th call opens a connection of its own; 2 is every other, 0 none. */
  readonly freshEvery?: number;
  /** Bytes in the body of each POST; every other pair of calls is a POST. */
  readonly bodyBytes?: number;
  readonly timeoutMs?: number;
  /**
   * What a proper answer is: the first line is the version that the function calls itself, the rest repeats the
   * body of the request byte for byte. False: the whole answer is the version.
   */
  readonly echoes?: boolean;
};

export type LoadFailure = {
  /** Milliseconds since 1970, when the call began. */
  readonly sentMs: number;
  readonly failedMs: number;
  readonly kind: 'status' | 'error' | 'timeout' | 'body';
  readonly message: string;
  readonly method: 'GET' | 'POST';
  readonly fresh: boolean;
};

export type LoadAnswer = {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly version: string;
  readonly method: 'GET' | 'POST';
  readonly fresh: boolean;
};

export type LoadResult = {
  readonly sent: number;
  readonly failures: readonly LoadFailure[];
  /** In the order in which they came. */
  readonly answers: readonly LoadAnswer[];
  /** The longest time by which a call began later than its rate demanded: the generator's own fault. */
  readonly worstLagMs: number;
};

export type ToWorker = { readonly kind: 'start'; readonly plan: LoadPlan } | { readonly kind: 'stop' };
export type FromWorker = { readonly kind: 'started' } | { readonly kind: 'result'; readonly result: LoadResult };

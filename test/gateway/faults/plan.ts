// What the closed-loop load process is told, and what it answers. Shared by load.ts and load-worker.ts.

export type ClosedLoadPlan = {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Pause of a connection between two calls. */
  readonly pauseMs: number;
  readonly timeoutMs: number;
};

export type BadCall = {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly beganMs: number;
  readonly endedMs: number;
  /** Absent when there was no head. */
  readonly status: number | undefined;
  readonly message: string;
};

export type SlowCall = { readonly id: string; readonly beganMs: number; readonly endedMs: number };

export type ClosedLoadResult = {
  readonly sent: number;
  readonly ok: number;
  /** Answers by the status of their head, broken ones included. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly bad: readonly BadCall[];
  /** Calls that took more than a second and were answered well. */
  readonly slow: readonly SlowCall[];
};

export type ToLoad = { readonly kind: 'start'; readonly plan: ClosedLoadPlan } | { readonly kind: 'stop' };
export type FromLoad = { readonly kind: 'started' } | { readonly kind: 'result'; readonly result: ClosedLoadResult };

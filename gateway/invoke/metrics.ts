/** What the invocation path wants counted of one function. */
export interface FunctionCounts {
  /** A call begins. */
  started(): void;
  /** The same call has ended; `seconds` is the whole time since `started`, waking included. */
  finished(status: number, seconds: number): void;
  /**
   * A call that had to wait for a replica gets its answer, or ends without one that it got a replica for.
   * @param seconds of each of `coldPhases`; they add up to the time from its coming to its answer's beginning
   */
  coldStart(seconds: readonly number[]): void;
  /** A call has left a line, let in or not, after so many seconds: for a replica, or for a place under the function's limits. */
  waited(line: 'replica' | 'limits', seconds: number): void;
  /** Calls that joined (1) or left (-1) the line for a first replica. */
  waiting(change: number): void;
  /** A call got no endpoint; `reason` is one of docs/errors.md. */
  refused(reason: string): void;
  /**
   * A replica got a call and left before its answer was complete, or its watchdog said so; `ending` when the replica was on
   * its way out.
   */
  cut(ending: boolean): void;
  /** Calls that joined (1) or left (-1) the line for a place under the function's limits. */
  queued(change: number): void;
}

/** Where nobody wants to know. */
export const uncounted: FunctionCounts = {
  started() {},
  finished() {},
  coldStart() {},
  waited() {},
  waiting() {},
  refused() {},
  cut() {},
  queued() {},
};

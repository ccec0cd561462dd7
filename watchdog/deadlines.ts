// The time limits of all calls on one timer: a timer of its own for each call costs a small call a twentieth of its time.
import { longestTimerMs } from '../provider/types/duration.ts';

export interface Bounded {
  /** When its time is over, on the clock of `performance.now()`; Infinity while it has no limit. */
  readonly deadlineMs: number;
  /** Its deadline is over at `nowMs`. Afterwards it has a later one, or is not watched any more. */
  expire(nowMs: number): void;
}

export class Deadlines {
  readonly #watched = new Set<Bounded>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. It may be too early, for one that has ended since, but never too late. */
  #dueMs = Number.POSITIVE_INFINITY;
  readonly #onDue = (): void => this.#expire();

  /** Again for one that is watched already, when its deadline has come nearer. */
  watch(each: Bounded): void {
    this.#watched.add(each);
    if (each.deadlineMs < this.#dueMs) this.#wakeAt(each.deadlineMs);
  }

  forget(each: Bounded): void {
    this.#watched.delete(each);
  }

  #wakeAt(dueMs: number): void {
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(this.#onDue, Math.min(longestTimerMs, Math.max(0, dueMs - performance.now())));
    // A call keeps the process alive by its connection.
    this.#timer.unref();
  }

  #expire(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    const due: Bounded[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const each of this.#watched) {
      if (each.deadlineMs <= nowMs) due.push(each);
      else if (each.deadlineMs < nextMs) nextMs = each.deadlineMs;
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#wakeAt(nextMs);
    for (const each of due) {
      // The end of one may have been the end of another.
      if (this.#watched.has(each)) each.expire(nowMs);
      if (this.#watched.has(each)) this.watch(each);
    }
  }
}

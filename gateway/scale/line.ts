// Callers of one function that wait for a replica, in the order they came.
import type { Waiter } from '../invoke/acquire.ts';
import type { FunctionEntry } from '../invoke/table.ts';

/** Callers let go in one turn of the event loop, which must stay short. */
const slice = 50;

export class WaitingLine {
  readonly #entry: FunctionEntry;
  /** Each with the timer of its limit. */
  readonly #waiters = new Map<Waiter, NodeJS.Timeout>();
  #visit: ((waiter: Waiter) => boolean) | undefined;

  constructor(entry: FunctionEntry) {
    this.#entry = entry;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** @param expired called when the waiter is still in line after `limitMs`; it is not any more then */
  join(waiter: Waiter, limitMs: number, expired: () => void): void {
    const timer = setTimeout(() => {
      if (this.leave(waiter)) expired();
    }, limitMs);
    this.#waiters.set(waiter, timer);
    this.#entry.waiting += 1;
  }

  /** False when the waiter was not in line. */
  leave(waiter: Waiter): boolean {
    const timer = this.#waiters.get(waiter);
    if (timer === undefined) return false;
    clearTimeout(timer);
    this.#waiters.delete(waiter);
    this.#entry.waiting -= 1;
    return true;
  }

  /**
   * Takes everyone out of line and visits them, a slice per turn of the event loop; a later call decides about those who
   * have not had their turn.
   * @param mayGo asked before each; false leaves the rest in line
   */
  letGo(mayGo: () => boolean, visit: (waiter: Waiter) => void): void {
    const running = this.#visit !== undefined;
    this.#visit = (waiter) => {
      if (!mayGo()) return false;
      this.leave(waiter);
      visit(waiter);
      return true;
    };
    if (!running) this.#step();
  }

  #step(): void {
    let left = slice;
    for (const waiter of this.#waiters.keys()) {
      if (left === 0) {
        setImmediate(() => this.#step());
        return;
      }
      left -= 1;
      if (this.#visit?.(waiter) !== true) break;
    }
    this.#visit = undefined;
  }
}

// How long a start may take: the provider's own limit until the function begins to start, from then on the function's own one
// where it has one.
import { longestTimerMs } from '../types/duration.ts';

/** From the function's own limit to ours: the watchdog knows better what it waits for, and is to say so first. */
const watchdogFirstMs = 500;

export class StartLimit {
  /** The limit in words, after "within". */
  text: string;
  expired = false;
  #timer: NodeJS.Timeout;
  readonly #onExpired: () => void;

  constructor(limitMs: number, onExpired: () => void) {
    this.text = `${limitMs / 1000} s of its start`;
    this.#onExpired = onExpired;
    this.#timer = this.#expireAfter(limitMs);
  }

  /** The function begins to start. @param limitMs its own limit */
  begin(limitMs: number | undefined): void {
    if (limitMs === undefined) return;
    this.text = `its ready_timeout of ${limitMs / 1000} s`;
    clearTimeout(this.#timer);
    this.#timer = this.#expireAfter(limitMs + watchdogFirstMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #expireAfter(limitMs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.expired = true;
        this.#onExpired();
      },
      Math.min(limitMs, longestTimerMs),
    );
  }
}

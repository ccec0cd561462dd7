// Admission to a function whose calls are limited: a bounded line, first come first served, people before queues. A
// function without limits has no gate.
import { formatDuration, longestTimerMs } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import type { EndpointState } from './endpoint.ts';
import type { CallLimits } from './limits.ts';

/** What the gate sees of its function. */
export interface Gated {
  readonly key: string;
  /** Those in line included. */
  readonly inFlight: number;
  readonly ready: readonly EndpointState[];
}

/** A call that wants in. Exactly one of the two is called, unless it leaves the line before. */
export interface Candidate {
  /** Somebody waits for the answer this moment; such calls go before the others. */
  readonly interactive: boolean;
  admitted(): void;
  refuse(error: FaasError): void;
}

type Obstacle = 'function' | 'replicas';

type Line = Map<Candidate, NodeJS.Timeout | undefined>;

/** Calls let in during one turn of the event loop, which must stay short. */
const slice = 50;

/** @param why what else is to be said of the line */
const refusal = (gated: Gated, limits: CallLimits, obstacle: Obstacle, why: 'full' | 'too-long'): FaasError => {
  const { maxInflight, maxInflightPerReplica, maxQueue, maxQueueWaitMs } = limits;
  const taken =
    obstacle === 'function'
      ? `function ${gated.key} has the ${maxInflight} calls at once that sluice.dev/max-inflight allows it`
      : `each of the ${gated.ready.length} replicas of function ${gated.key} has the ${maxInflightPerReplica} calls at once that sluice.dev/max-inflight-per-replica allows it`;
  const line =
    why === 'full'
      ? `and ${maxQueue} wait already (sluice.dev/max-queue)`
      : `and no place came free within ${formatDuration(maxQueueWaitMs)} (sluice.dev/max-queue-wait)`;
  const code = obstacle === 'function' ? 'busy' : 'unavailable';
  if (why === 'too-long') return new FaasError(code, `${taken}, ${line}`, { reason: 'QueueTimeout', retryAfterS: 1 });
  const reason = obstacle === 'function' ? 'MaxInflight' : 'NoCapacity';
  return new FaasError(code, `${taken}, ${line}`, { reason, retryAfterS: 1 });
};

export class Gate {
  limits: CallLimits;
  readonly #gated: Gated;
  /**
   * Who is let in first comes first: those that somebody waits for, then the others; of each kind those that had been let in
   * once. Within a line in the order in which they came, each with the timer of its limit.
   */
  readonly #lines: readonly Line[] = [new Map(), new Map(), new Map(), new Map()];
  #letting = false;
  #rest: NodeJS.Immediate | undefined;

  constructor(gated: Gated, limits: CallLimits) {
    this.#gated = gated;
    this.limits = limits;
  }

  /** Calls in line. */
  get length(): number {
    let length = 0;
    for (const line of this.#lines) length += line.size;
    return length;
  }

  /** Admits the call or refuses it before it returns, or puts it in line. True when it is in line. */
  enter(candidate: Candidate): boolean {
    const line = candidate.interactive ? 1 : 3;
    if (this.#isAwaited(line) || this.#obstacle(0) !== undefined) return this.#join(candidate, line);
    candidate.admitted();
    return false;
  }

  /** Puts a call that was let in back in line, before those that came after it. As `enter`. */
  hold(candidate: Candidate): boolean {
    return this.#join(candidate, candidate.interactive ? 0 : 2);
  }

  #isAwaited(upTo: number): boolean {
    for (let line = 0; line <= upTo; line += 1) if ((this.#lines[line] as Line).size > 0) return true;
    return false;
  }

  #join(candidate: Candidate, line: number): boolean {
    // A line with place before it moves up in this or the next turns, whatever its length.
    const isFull = this.length >= this.limits.maxQueue && this.#obstacle(0) !== undefined;
    if (isFull && !this.#turnAwayLast(line)) {
      candidate.refuse(this.#refusal('full'));
      return false;
    }
    const { maxQueueWaitMs } = this.limits;
    const expired = (): void => {
      if (this.leave(candidate)) candidate.refuse(this.#refusal('too-long'));
    };
    const timer = maxQueueWaitMs === 0 ? undefined : setTimeout(expired, Math.min(maxQueueWaitMs, longestTimerMs));
    (this.#lines[line] as Line).set(candidate, timer);
    return true;
  }

  /** False when the call is not in line. */
  leave(candidate: Candidate): boolean {
    const line = this.#lines.find((each) => each.has(candidate));
    if (line === undefined) return false;
    clearTimeout(line.get(candidate));
    line.delete(candidate);
    return true;
  }

  /** Lets in whom there is place for. Call it when a call ended, an endpoint became ready or a limit changed. */
  advance(): void {
    // Who is let in may end before it returns: no deeper for that.
    if (this.#letting) return;
    this.#letting = true;
    for (let left = slice; this.length > 0 && this.#obstacle(1) === undefined; left -= 1) {
      if (left === 0) {
        this.#rest ??= setImmediate(() => {
          this.#rest = undefined;
          this.advance();
        });
        break;
      }
      const first = this.#first() as Candidate;
      this.leave(first);
      first.admitted();
    }
    this.#letting = false;
  }

  /** A few in each turn of the event loop. */
  refuseAll(error: FaasError): void {
    this.#letting = true;
    for (let left = slice; this.length > 0 && left > 0; left -= 1) {
      const first = this.#first() as Candidate;
      this.leave(first);
      first.refuse(error);
    }
    this.#letting = false;
    if (this.length > 0) setImmediate(() => this.refuseAll(error));
  }

  #first(): Candidate | undefined {
    for (const line of this.#lines) for (const candidate of line.keys()) return candidate;
    return undefined;
  }

  /** Makes room for a call that goes before the last one in line. */
  #turnAwayLast(line: number): boolean {
    for (let other = this.#lines.length - 1; other > line; other -= 1) {
      const last = [...(this.#lines[other] as Line).keys()].at(-1);
      if (last === undefined) continue;
      const error = this.#refusal('full');
      this.leave(last);
      last.refuse(error);
      return true;
    }
    return false;
  }

  /** What stands in the way of `more` calls besides those that are not in line. */
  #obstacle(more: number): Obstacle | undefined {
    const { maxInflight, maxInflightPerReplica } = this.limits;
    const { inFlight, ready } = this.#gated;
    if (maxInflight > 0 && inFlight - this.length + more > maxInflight) return 'function';
    if (maxInflightPerReplica === 0 || ready.length === 0) return undefined;
    for (const endpoint of ready) if (endpoint.inFlight < maxInflightPerReplica) return undefined;
    return 'replicas';
  }

  /** Call it while one call that is not in line is to be refused, or let in at the expense of another. */
  #refusal(why: 'full' | 'too-long'): FaasError {
    const usual: Obstacle = this.limits.maxInflight > 0 ? 'function' : 'replicas';
    return refusal(this.#gated, this.limits, this.#obstacle(0) ?? usual, why);
  }
}

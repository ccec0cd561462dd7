// Admission to a function whose calls are limited: a bounded line, first come first served, people before queues. A
// function without limits has no gate.
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import type { EndpointState } from './endpoint.ts';
import { type CallLimits, longestTimerMs } from './limits.ts';

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
  /** In the order in which they came, each with the timer of its limit. */
  readonly #interactive = new Map<Candidate, NodeJS.Timeout | undefined>();
  readonly #background = new Map<Candidate, NodeJS.Timeout | undefined>();
  #letting = false;
  #rest: NodeJS.Immediate | undefined;

  constructor(gated: Gated, limits: CallLimits) {
    this.#gated = gated;
    this.limits = limits;
  }

  /** Calls in line. */
  get length(): number {
    return this.#interactive.size + this.#background.size;
  }

  /** Admits the call or refuses it before it returns, or puts it in line. True when it is in line. */
  enter(candidate: Candidate): boolean {
    const before = candidate.interactive ? this.#interactive.size : this.length;
    if (before > 0 || this.#obstacle(0) !== undefined) return this.hold(candidate);
    candidate.admitted();
    return false;
  }

  /** Puts a call in line, unless the line is full: then it is refused. True when it is in line. */
  hold(candidate: Candidate): boolean {
    if (this.length >= this.limits.maxQueue && !(candidate.interactive && this.#turnAwayLast())) {
      candidate.refuse(this.#refusal('full'));
      return false;
    }
    const { maxQueueWaitMs } = this.limits;
    const expired = (): void => {
      if (this.leave(candidate)) candidate.refuse(this.#refusal('too-long'));
    };
    const timer = maxQueueWaitMs === 0 ? undefined : setTimeout(expired, Math.min(maxQueueWaitMs, longestTimerMs));
    (candidate.interactive ? this.#interactive : this.#background).set(candidate, timer);
    return true;
  }

  /** False when the call is not in line. */
  leave(candidate: Candidate): boolean {
    const line = candidate.interactive ? this.#interactive : this.#background;
    if (!line.has(candidate)) return false;
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

  refuseAll(error: FaasError): void {
    for (const candidate of [...this.#interactive.keys(), ...this.#background.keys()]) {
      if (this.leave(candidate)) candidate.refuse(error);
    }
  }

  #first(): Candidate | undefined {
    for (const candidate of this.#interactive.keys()) return candidate;
    for (const candidate of this.#background.keys()) return candidate;
    return undefined;
  }

  /** Makes room for a call that somebody waits for. */
  #turnAwayLast(): boolean {
    const last = [...this.#background.keys()].at(-1);
    if (last === undefined) return false;
    this.leave(last);
    last.refuse(this.#refusal('full'));
    return true;
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

  #refusal(why: 'full' | 'too-long'): FaasError {
    const usual: Obstacle = this.limits.maxInflight > 0 ? 'function' : 'replicas';
    return refusal(this.#gated, this.limits, this.#obstacle(1) ?? usual, why);
  }
}

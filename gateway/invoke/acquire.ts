// First step of a call: from a name to an endpoint that may be used now. Ready functions take no turn of the event loop;
// unknown ones are looked up, sleeping ones are waited for.
import { type FaasError, toFaasError } from '../../provider/types/errors.ts';
import { pickEndpoint, pickWithRoom } from './balance.ts';
import { phasesOf } from './cold-start.ts';
import type { EndpointState } from './endpoint.ts';
import type { Candidate } from './gate.ts';
import type { Lookup } from './lookup.ts';
import type { FunctionEntry, FunctionTable } from './table.ts';

/** One that waits for a replica of a function. Exactly one of the two is called, unless it leaves before. */
export interface Waiter {
  /** A replica was ready a moment ago. */
  wake(): void;
  refuse(error: FaasError): void;
}

/** Wakes functions and holds their callers; `scale/activate.ts` is one. */
export interface Activator {
  /** May refuse before it returns. */
  wait(entry: FunctionEntry, waiter: Waiter): void;
  /** The waiter is not called any more. */
  leave(entry: FunctionEntry, waiter: Waiter): void;
}

/** Gets what a claim leads to. */
export interface Claimant {
  /** The function exists and the call counts as one of its calls from here on, until `release`. */
  known(entry: FunctionEntry): void;
  granted(endpoint: EndpointState): void;
  refused(error: FaasError): void;
}

export type AcquireParts = {
  readonly table: FunctionTable;
  readonly lookup: Lookup;
  readonly activator: Activator;
  readonly random?: () => number;
  readonly now?: () => number;
};

/** A claim under way or granted. */
export class Claim implements Waiter, Candidate {
  readonly interactive: boolean;
  readonly #parts: AcquireParts;
  readonly #claimant: Claimant;
  #entry: FunctionEntry | undefined;
  #endpoint: EndpointState | undefined;
  #waitingSince: number | undefined;
  /** Counted as one that waits for a replica. */
  #held = false;
  /** When it began to wait for a replica, until the answer has begun. */
  #coldSince: number | undefined;
  /** Since when it is in the line of the function's gate. */
  #queuedSince: number | undefined;
  #released = false;

  constructor(parts: AcquireParts, claimant: Claimant, interactive: boolean) {
    this.interactive = interactive;
    this.#parts = parts;
    this.#claimant = claimant;
  }

  begin(key: string): void {
    const entry = this.#parts.table.get(key);
    if (entry !== undefined) {
      this.#enter(entry);
      return;
    }
    this.#parts.lookup.find(key).then(
      (found) => {
        if (!this.#released) this.#enter(found);
      },
      (error: unknown) => {
        if (!this.#released) this.#claimant.refused(toFaasError(error));
      },
    );
  }

  /** Gives the endpoint back and asks for one again, rather another than the one it had. */
  again(): void {
    const except = this.#endpoint;
    this.#dropEndpoint();
    this.#choose(true, except);
  }

  /** The call has ended, however it did; nothing is called any more. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#coldSince !== undefined) this.answered();
    this.#dropEndpoint();
    const entry = this.#entry;
    if (entry === undefined) return;
    if (this.#waitingSince !== undefined) {
      this.#parts.activator.leave(entry, this);
      this.#unwaiting(entry);
    }
    if (this.#queuedSince !== undefined) {
      entry.gate?.leave(this);
      this.#unqueued(entry);
    }
    entry.touch((this.#parts.now ?? Date.now)());
    entry.inFlight -= 1;
    entry.gate?.advance();
  }

  /** The answer has begun. Call it once a head is there. */
  answered(): void {
    const since = this.#coldSince;
    const endpoint = this.#endpoint;
    if (since === undefined || endpoint === undefined) return;
    this.#coldSince = undefined;
    const phases = phasesOf(since, endpoint.start, endpoint.readyMs, performance.now());
    this.#entry?.counts.coldStart(phases);
  }

  admitted(): void {
    const entry = this.#entry as FunctionEntry;
    if (this.#queuedSince !== undefined) this.#unqueued(entry);
    this.#choose(entry.waiting === 0);
  }

  wake(): void {
    this.#coldSince ??= this.#waitingSince;
    this.#unwaiting(this.#entry as FunctionEntry);
    this.#choose(true);
  }

  refuse(error: FaasError): void {
    const entry = this.#entry as FunctionEntry;
    if (this.#waitingSince !== undefined) this.#unwaiting(entry);
    if (this.#queuedSince !== undefined) this.#unqueued(entry);
    entry.counts.refused(error.reason ?? error.code);
    this.#claimant.refused(error);
  }

  #enter(entry: FunctionEntry): void {
    this.#entry = entry;
    entry.touch((this.#parts.now ?? Date.now)());
    entry.inFlight += 1;
    entry.calls += 1;
    this.#claimant.known(entry);
    if (entry.gate === undefined) this.#choose(entry.waiting === 0);
    else if (entry.gate.enter(this)) this.#joined(entry);
  }

  /** @param first false sends the call behind those that wait already */
  #choose(first: boolean, except?: EndpointState): void {
    const entry = this.#entry as FunctionEntry;
    const endpoint = first ? this.#pick(entry, except) : undefined;
    if (endpoint !== undefined) {
      endpoint.inFlight += 1;
      this.#endpoint = endpoint;
      this.#claimant.granted(endpoint);
    } else if (first && entry.ready.length > 0 && entry.gate !== undefined) {
      if (entry.gate.hold(this)) this.#joined(entry);
    } else {
      this.#waitingSince = performance.now();
      this.#parts.activator.wait(entry, this);
      // It may have been refused at once, or let go.
      if (this.#waitingSince === undefined) return;
      this.#held = true;
      entry.counts.waiting(1);
    }
  }

  #pick(entry: FunctionEntry, except: EndpointState | undefined): EndpointState | undefined {
    const random = this.#parts.random ?? Math.random;
    if (entry.gate === undefined) return pickEndpoint(entry.ready, random, except);
    return pickWithRoom(entry.ready, random, except, entry.limits.maxInflightPerReplica);
  }

  #joined(entry: FunctionEntry): void {
    this.#queuedSince = performance.now();
    entry.counts.queued(1);
  }

  #unqueued(entry: FunctionEntry): void {
    entry.counts.queued(-1);
    entry.counts.waited('limits', (performance.now() - (this.#queuedSince ?? 0)) / 1000);
    this.#queuedSince = undefined;
  }

  #unwaiting(entry: FunctionEntry): void {
    const seconds = (performance.now() - (this.#waitingSince ?? 0)) / 1000;
    this.#waitingSince = undefined;
    if (!this.#held) return;
    this.#held = false;
    entry.counts.waiting(-1);
    entry.counts.waited('replica', seconds);
  }

  #dropEndpoint(): void {
    const endpoint = this.#endpoint;
    this.#endpoint = undefined;
    endpoint?.release();
  }
}

// What is known of each function's load over the last minute, second by second: what an autoscaler decides by. Only functions
// that were called in that time cost memory.
import type { FunctionEntry, FunctionTable } from '../invoke/table.ts';

export type SignalsParts = {
  readonly table: Pick<FunctionTable, 'entries' | 'get'>;
  /** Length of one sample. */
  readonly everyMs?: number;
  /** Samples that are kept of a function. */
  readonly kept?: number;
  readonly now?: () => number;
};

/** Over some time that ends now; what one gateway has seen. */
export type Signals = {
  /** Time that was seen, in ms; 0 when there is no sample. */
  readonly overMs: number;
  /** Calls at once, on average over the time; waiting ones included. */
  readonly inFlight: number;
  /** Calls that began, each second. */
  readonly perSecond: number;
  /** Most calls that waited, for a replica or for a place, at the end of a sample. */
  readonly queued: number;
  /** Fewest replicas that answered at the end of a sample. */
  readonly ready: number;
};

export interface SignalStore {
  /** @param overMs how far to look back, in whole samples */
  of(key: string, overMs: number): Signals;
  /** Takes a sample of all functions that are in use; it happens by itself. */
  sample(): void;
  /** Functions that something is kept of. */
  readonly size: number;
  close(): void;
}

/** Length, time of all calls together, calls, queued, ready. */
const width = 5;

/** Functions looked at in one turn of the event loop. */
const slice = 1000;

class Ring {
  /** Samples without a call, in a row. */
  quiet = 0;
  readonly #values: Float64Array;
  #next = 0;
  #count = 0;

  constructor(kept: number) {
    this.#values = new Float64Array(kept * width);
  }

  push(values: readonly [lengthMs: number, busyMs: number, calls: number, queued: number, ready: number]): void {
    this.#values.set(values, this.#next * width);
    const kept = this.#values.length / width;
    this.#next = (this.#next + 1) % kept;
    this.#count = Math.min(kept, this.#count + 1);
  }

  read(overMs: number): Signals {
    const kept = this.#values.length / width;
    let [seenMs, busyMs, calls, queued, ready] = [0, 0, 0, 0, Number.POSITIVE_INFINITY];
    for (let back = 1; back <= this.#count && seenMs < overMs; back += 1) {
      const at = ((this.#next - back + kept) % kept) * width;
      const value = (column: number): number => this.#values[at + column] as number;
      seenMs += value(0);
      busyMs += value(1);
      calls += value(2);
      queued = Math.max(queued, value(3));
      ready = Math.min(ready, value(4));
    }
    if (seenMs === 0) return nothing;
    return { overMs: seenMs, inFlight: busyMs / seenMs, perSecond: (calls * 1000) / seenMs, queued, ready };
  }
}

const nothing: Signals = { overMs: 0, inFlight: 0, perSecond: 0, queued: 0, ready: 0 };

class Store implements SignalStore {
  readonly #table: SignalsParts['table'];
  readonly #kept: number;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #rings = new Map<FunctionEntry, Ring>();
  /** When the last look began, and the one before it. */
  #lookMs: number;
  #beforeMs: number;
  #rest: NodeJS.Immediate | undefined;

  constructor(parts: SignalsParts) {
    this.#table = parts.table;
    this.#kept = parts.kept ?? 60;
    this.#now = parts.now ?? Date.now;
    this.#lookMs = this.#now();
    this.#beforeMs = this.#lookMs;
    this.#timer = setInterval(() => this.sample(), parts.everyMs ?? 1000);
    this.#timer.unref();
  }

  get size(): number {
    return this.#rings.size;
  }

  of(key: string, overMs: number): Signals {
    const entry = this.#table.get(key);
    const ring = entry === undefined ? undefined : this.#rings.get(entry);
    return ring?.read(overMs) ?? nothing;
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#rest);
  }

  sample(): void {
    if (this.#rest !== undefined) return;
    this.#beforeMs = this.#lookMs;
    this.#lookMs = this.#now();
    for (const entry of this.#rings.keys()) if (entry.removed) this.#rings.delete(entry);
    this.#look(this.#table.entries()[Symbol.iterator]());
  }

  #look(entries: Iterator<FunctionEntry>): void {
    this.#rest = undefined;
    for (let left = slice; left > 0; left -= 1) {
      const { value: entry, done } = entries.next();
      if (done) return;
      const busy = entry.inFlight > 0 || entry.calls > 0;
      if (busy || this.#rings.has(entry)) this.#sample(entry, busy);
    }
    this.#rest = setImmediate(() => this.#look(entries));
  }

  #sample(entry: FunctionEntry, busy: boolean): void {
    const lengthMs = this.#lookMs - this.#beforeMs;
    if (lengthMs <= 0) return;
    const ring = this.#rings.get(entry) ?? new Ring(this.#kept);
    this.#rings.set(entry, ring);
    ring.quiet = busy ? 0 : ring.quiet + 1;
    if (ring.quiet > this.#kept) {
      this.#rings.delete(entry);
      return;
    }
    const { busyMs, calls } = entry.takeLoad(this.#lookMs);
    const queued = entry.waiting + (entry.gate?.length ?? 0);
    ring.push([lengthMs, busyMs, calls, queued, entry.ready.length]);
  }
}

export const createSignals = (parts: SignalsParts): SignalStore => new Store(parts);

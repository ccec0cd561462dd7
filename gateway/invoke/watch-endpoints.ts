// Leaves endpoints out that refuse connections or have fallen silent, and takes them back when they answer a probe. Calls
// pay one addition for it: what is silent is found by looking at the counters now and then.
import type { EndpointState } from './endpoint.ts';
import { isSuspect, look, pauseMs, proved, type Sighting } from './health.ts';
import { type Probe, startProbe } from './probe.ts';
import type { FunctionEntry, FunctionTable } from './table.ts';

export type WatchParts = {
  readonly table: Pick<FunctionTable, 'several'>;
  /** How often endpoints are looked at. */
  readonly everyMs?: number | undefined;
  /** How long an endpoint with calls may begin no answer before it is asked whether it is alive. */
  readonly quietMs?: number | undefined;
  /** How long it may take to say so. */
  readonly probeMs?: number | undefined;
  readonly now?: () => number;
};

export interface EndpointWatch {
  /** A connection to the endpoint was refused. */
  refused(entry: FunctionEntry, endpoint: EndpointState): void;
  close(): void;
}

/** With half a second of silence and a second for the probe, an endpoint is out within 1.6 s: 2 s are promised. */
const usualEveryMs = 100;

/** Functions looked at in one turn of the event loop. */
const slice = 1000;

class Watch implements EndpointWatch {
  readonly #table: WatchParts['table'];
  readonly #quietMs: number;
  readonly #probeMs: number;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new WeakMap<EndpointState, Sighting>();
  /** Failures in a row, and the answers that the endpoint had begun at the last of them. */
  readonly #failures = new WeakMap<EndpointState, { readonly count: number; readonly answers: number }>();
  readonly #probes = new Map<EndpointState, Probe>();
  #rest: NodeJS.Immediate | undefined;

  constructor(parts: WatchParts) {
    this.#table = parts.table;
    this.#quietMs = parts.quietMs ?? 500;
    this.#probeMs = parts.probeMs ?? 1000;
    this.#now = parts.now ?? (() => performance.now());
    this.#timer = setInterval(() => {
      if (this.#rest === undefined) this.#look(this.#table.several()[Symbol.iterator]());
    }, parts.everyMs ?? usualEveryMs);
    this.#timer.unref();
  }

  refused(entry: FunctionEntry, endpoint: EndpointState): void {
    if (endpoint.out || endpoint.gone) return;
    this.#probes.get(endpoint)?.cancel();
    this.#leaveOut(entry, endpoint);
    this.#pause(entry, endpoint);
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#rest);
    for (const probe of this.#probes.values()) probe.cancel();
    this.#probes.clear();
  }

  #look(entries: Iterator<FunctionEntry>): void {
    this.#rest = undefined;
    const nowMs = this.#now();
    for (let left = slice; left > 0; left -= 1) {
      const { value: entry, done } = entries.next();
      if (done) return;
      // An only endpoint that is ready has nobody to take its calls.
      if (entry.ready.length > 1) for (const endpoint of entry.ready) this.#examine(entry, endpoint, nowMs);
    }
    this.#rest = setImmediate(() => this.#look(entries));
  }

  #examine(entry: FunctionEntry, endpoint: EndpointState, nowMs: number): void {
    const seen = look(this.#seen.get(endpoint), endpoint, nowMs);
    if (seen === undefined) this.#seen.delete(endpoint);
    else this.#seen.set(endpoint, seen);
    if (!endpoint.out && isSuspect(seen, nowMs, this.#quietMs)) this.#ask(entry, endpoint);
  }

  #leaveOut(entry: FunctionEntry, endpoint: EndpointState): void {
    endpoint.out = true;
    entry.reroute();
  }

  /** Lets some time pass before the endpoint is asked, more each time. */
  #pause(entry: FunctionEntry, endpoint: EndpointState): void {
    const before = this.#failures.get(endpoint);
    const count = before?.answers === endpoint.answers ? before.count + 1 : 1;
    this.#failures.set(endpoint, { count, answers: endpoint.answers });
    const timer = setTimeout(() => {
      this.#probes.delete(endpoint);
      this.#ask(entry, endpoint);
    }, pauseMs(count));
    timer.unref();
    this.#probes.set(endpoint, { cancel: () => clearTimeout(timer) });
  }

  #ask(entry: FunctionEntry, endpoint: EndpointState): void {
    if (endpoint.gone || this.#probes.has(endpoint)) return;
    const answersBefore = endpoint.answers;
    const probe = startProbe(endpoint.address, this.#probeMs, {
      answered: () => {
        this.#probes.delete(endpoint);
        this.#seen.set(endpoint, proved(endpoint, this.#now()));
        if (!endpoint.out) return;
        endpoint.out = false;
        entry.reroute();
      },
      late: () => {
        if (!endpoint.gone && endpoint.answers === answersBefore) this.#leaveOut(entry, endpoint);
      },
      broken: () => {
        this.#probes.delete(endpoint);
        if (endpoint.gone) return;
        if (!endpoint.out) this.#leaveOut(entry, endpoint);
        this.#pause(entry, endpoint);
      },
    });
    this.#probes.set(endpoint, probe);
  }
}

export const createEndpointWatch = (parts: WatchParts): EndpointWatch => new Watch(parts);

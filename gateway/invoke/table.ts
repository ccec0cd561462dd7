// The function table: all that an invocation needs to know, pushed by the provider's watch and read from memory.
import type { Endpoint, FunctionReport, ProviderObserver } from '../../provider/provider.ts';
import { functionTimeoutMs } from '../../provider/types/annotations.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { type FunctionRef, formatRef } from '../../provider/types/name.ts';
import { type ScaleSpec, toScaleSpec } from '../../provider/types/scale.ts';
import { EndpointState } from './endpoint.ts';
import { Gate } from './gate.ts';
import { type CallLimits, isBounded, limitsOf, noLimits } from './limits.ts';
import { type FunctionCounts, uncounted } from './metrics.ts';
import { nowhere, routeTo } from './route.ts';

export type Timeouts = {
  readonly count: number;
  /** ms since 1970 */
  readonly lastMs: number;
  /** What the last caller was told. */
  readonly text: string;
};

// One for all that sleep: thousands of functions do, and collections of their own would cost each of them.
const noRevisions: ReadonlyMap<string, readonly EndpointState[]> = new Map();
const noneReady: readonly EndpointState[] = [];

export class FunctionEntry {
  readonly ref: FunctionRef;
  readonly key: string;
  readonly counts: FunctionCounts;
  report: FunctionReport;
  scale: ScaleSpec;
  /** The function's own limit for one call; `undefined` means the gateway's default. */
  timeoutMs: number | undefined;
  limits: CallLimits;
  /** Present when calls may have to wait for a place under the limits. */
  gate: Gate | undefined;
  /** Calls, streams and upgraded connections under way, waiting ones included. */
  inFlight = 0;
  /** Callers that wait for a replica. */
  waiting = 0;
  /** When a call last began or ended, the function last changed by an operator's hand or began to answer; ms since 1970. */
  lastCallMs: number;
  /** Calls that began, and the time of all calls together in ms, since the last `takeLoad`. */
  calls = 0;
  #busyMs = 0;
  removed = false;
  /** Calls that were cut at their time limit since the function was last changed. */
  timeouts: Timeouts | undefined;
  /** Ready endpoints by revision; replaced, never changed. */
  revisions: ReadonlyMap<string, readonly EndpointState[]> = noRevisions;
  route = nowhere;
  /** The endpoints that calls go to now; replaced, never changed. Empty when there is none, and while they are about to go. */
  ready = noneReady;

  constructor(report: FunctionReport, nowMs: number, { limits: defaults = noLimits, countsOf }: FunctionTableParts = {}) {
    this.ref = report.ref;
    this.key = formatRef(report.ref);
    this.counts = countsOf?.(this.key) ?? uncounted;
    this.report = report;
    this.scale = toScaleSpec(report.labels);
    this.timeoutMs = functionTimeoutMs(report.annotations);
    this.limits = limitsOf(report.annotations, defaults);
    if (isBounded(this.limits)) this.gate = new Gate(this, this.limits);
    this.lastCallMs = nowMs;
  }

  /** Whoever waits under the old limits moves up under the new ones. */
  limit(limits: CallLimits): void {
    this.limits = limits;
    if (isBounded(limits)) this.gate ??= new Gate(this, limits);
    if (this.gate === undefined) return;
    this.gate.limits = limits;
    this.gate.advance();
    if (!isBounded(limits) && this.gate.length === 0) this.gate = undefined;
  }

  add(endpoint: EndpointState): void {
    const same = this.revisions.get(endpoint.revision) ?? [];
    this.revisions = new Map(this.revisions).set(endpoint.revision, [...same, endpoint]);
  }

  drop(endpoint: EndpointState): void {
    const revisions = new Map(this.revisions);
    const left = revisions.get(endpoint.revision)?.filter((each) => each !== endpoint) ?? [];
    if (left.length === 0) revisions.delete(endpoint.revision);
    else revisions.set(endpoint.revision, left);
    this.revisions = revisions.size === 0 ? noRevisions : revisions;
  }

  /** Of all revisions. */
  get endpointCount(): number {
    let count = 0;
    for (const endpoints of this.revisions.values()) count += endpoints.length;
    return count;
  }

  /** @param text what the caller was told */
  noteTimeout(text: string, nowMs: number): void {
    this.timeouts = { count: (this.timeouts?.count ?? 0) + 1, lastMs: nowMs, text };
  }

  /** Nobody gets in any more; running calls finish. */
  remove(): void {
    this.removed = true;
    for (const endpoint of [...this.revisions.values()].flat()) void endpoint.retire();
    this.revisions = noRevisions;
    this.gate?.refuseAll(new FaasError('not-found', `function ${this.key} was removed`));
  }

  /** Call it before `inFlight` changes, and when the function is to count as used. */
  touch(nowMs: number): void {
    this.#busyMs += this.inFlight * Math.max(0, nowMs - this.lastCallMs);
    this.lastCallMs = nowMs;
  }

  /** What was counted since the last time; for one reader. */
  takeLoad(nowMs: number): { readonly busyMs: number; readonly calls: number } {
    const running = this.inFlight * Math.max(0, nowMs - this.lastCallMs);
    const load = { busyMs: this.#busyMs + running, calls: this.calls };
    this.#busyMs = -running;
    this.calls = 0;
    return load;
  }

  /** At zero or on its way there: a call wakes the function before it uses a replica, of which some may still answer. */
  get asleep(): boolean {
    return this.report.replicas === 0 || this.report.dozing === true;
  }

  /** Call it after every change of the report, of revisions, endpoints or their health. */
  reroute(): void {
    this.route = routeTo(this.report.revision, [...this.revisions.keys()]);
    const all = this.route.flatMap(([revision]) => this.revisions.get(revision) ?? noneReady);
    const healthy = all.filter((endpoint) => !endpoint.out);
    // A call that may fail is better than one that surely does.
    if (this.asleep || all.length === 0) this.ready = noneReady;
    else this.ready = healthy.length === 0 ? all : healthy;
    this.gate?.advance();
  }
}

export interface FunctionTable extends ProviderObserver {
  /** @param key `name.namespace` */
  get(key: string): FunctionEntry | undefined;
  entries(): Iterable<FunctionEntry>;
  /** Those that have more than one endpoint, ready or not; of thousands that sleep they are few. */
  several(): Iterable<FunctionEntry>;
  /** Resolves when the provider has reported all it has. */
  whenSynced(): Promise<void>;
  /** Called after every change of a function, of its endpoints, and after its removal; returns what ends it. */
  subscribe(listener: (entry: FunctionEntry) => void): () => void;
}

export type FunctionTableParts = {
  /** For functions without limits of their own; none unless told. */
  readonly limits?: CallLimits;
  /** Where the calls of a new function are counted; nowhere unless told. */
  readonly countsOf?: (key: string) => FunctionCounts | undefined;
  readonly now?: () => number;
};

export const createFunctionTable = (parts: FunctionTableParts = {}): FunctionTable => {
  const now = parts.now ?? Date.now;
  const defaults = parts.limits ?? noLimits;
  const functions = new Map<string, FunctionEntry>();
  const endpoints = new Map<string, EndpointState>();
  const several = new Set<FunctionEntry>();
  const listeners = new Set<(entry: FunctionEntry) => void>();
  const synced = Promise.withResolvers<void>();

  const changed = (entry: FunctionEntry): void => {
    entry.reroute();
    if (entry.endpointCount > 1) several.add(entry);
    else several.delete(entry);
    for (const listener of listeners) listener(entry);
  };

  const update = (entry: FunctionEntry, report: FunctionReport): void => {
    const before = entry.report;
    entry.report = report;
    if (before.revision !== report.revision || before.replicas !== report.replicas) entry.touch(now());
    if (before.revision !== report.revision) entry.timeouts = undefined;
    if (before.labels !== report.labels) entry.scale = toScaleSpec(report.labels);
    if (before.annotations === report.annotations) return;
    entry.timeoutMs = functionTimeoutMs(report.annotations);
    entry.limit(limitsOf(report.annotations, defaults));
  };

  return {
    get: (key) => functions.get(key),
    entries: () => functions.values(),
    several: () => several.values(),
    whenSynced: () => synced.promise,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    functionChanged(report) {
      let entry = functions.get(formatRef(report.ref));
      if (entry === undefined) {
        entry = new FunctionEntry(report, now(), parts);
        functions.set(entry.key, entry);
      } else update(entry, report);
      changed(entry);
    },
    functionRemoved(ref) {
      const entry = functions.get(formatRef(ref));
      if (entry === undefined) return;
      functions.delete(entry.key);
      for (const endpoint of [...entry.revisions.values()].flat()) endpoints.delete(endpoint.id);
      entry.remove();
      changed(entry);
    },
    endpointReady(ref: FunctionRef, endpoint: Endpoint) {
      const entry = functions.get(formatRef(ref));
      if (entry === undefined || endpoints.has(endpoint.id)) return;
      const state = new EndpointState(endpoint);
      if (entry.revisions.size === 0) entry.touch(now());
      endpoints.set(endpoint.id, state);
      entry.add(state);
      changed(entry);
    },
    async endpointGone(ref, endpointId) {
      const endpoint = endpoints.get(endpointId);
      if (endpoint === undefined) return;
      endpoints.delete(endpointId);
      const entry = functions.get(formatRef(ref));
      if (entry !== undefined) {
        entry.drop(endpoint);
        changed(entry);
      }
      await endpoint.retire();
    },
    synced: () => synced.resolve(),
  };
};

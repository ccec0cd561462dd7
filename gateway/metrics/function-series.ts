// The series of every function: counted by the invocation path, kept in step with the provider's functions, so that a
// removed function's series go and a name that was never deployed makes none. OpenFaaS contract, 3.1 and 3.2.
import type { Endpoint, FunctionReport, ProviderObserver } from '../../provider/provider.ts';
import { type FunctionRef, formatRef } from '../../provider/types/name.ts';
import { toScaleSpec } from '../../provider/types/scale.ts';
import { createSlots } from './slots.ts';
import { AllWaits, type Line, Waits } from './waits.ts';

/** Upper bounds of gateway_functions_seconds; the last bucket of a row counts what is above them. */
export const secondsBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
export const sumColumn = secondsBuckets.length + 1;
export const countColumn = sumColumn + 1;
const width = countColumn + 1;

/** A function may answer any status; past this many different ones the rest share one series. */
export const maxCodes = 32;
export const otherCode = 'other';

/** Who wanted another number of replicas: an operator, an alert, a call at zero, or nobody who called. */
export type ScaleCause = 'api' | 'alert' | 'call' | 'idle';

export type FunctionSeries = {
  readonly key: string;
  removed: boolean;
  started: number;
  inFlight: number;
  /** Calls in line for a place under the function's limits. */
  queued: number;
  /** Calls that their replica cut, while it ran and on its way out. */
  cutRunning: number;
  cutEnding: number;
  /** Calls in line for a replica. */
  waiting: number;
  /** Absent before the first call that waited. */
  waits: Waits | undefined;
  /** Orders to change the number of replicas, by cause; absent before the first. */
  scalings: Map<ScaleCause, number> | undefined;
  /** Calls that got no endpoint, by reason; absent before the first. */
  refused: Map<string, number> | undefined;
  desired: number;
  min: number;
  max: number;
  /** Reason why no replica answers, where the provider gives one. */
  failing: string;
  /** Empty when the function has no target of its own. */
  target: string;
  scalingType: string;
  /** Ids of endpoints; replaced, never changed. */
  ready: readonly string[];
  /** Row of `rows` by status code. */
  rowByCode: ReadonlyMap<number | typeof otherCode, number>;
};

// One for all that were never called: thousands of functions sleep, and collections of their own would cost each of them.
const noRows: FunctionSeries['rowByCode'] = new Map();
const noneReady: readonly string[] = [];

/** Satisfies the invocation path's `InvokeMetrics`. */
export interface FunctionMetrics {
  started(key: string): void;
  finished(key: string, status: number, seconds: number): void;
  coldStart(key: string, seconds: readonly number[]): void;
  waited(key: string, line: Line, seconds: number): void;
  waiting(key: string, change: number): void;
  scaled(key: string, cause: ScaleCause): void;
  refused(key: string, reason: string): void;
  cut(key: string, ending: boolean): void;
  queued(key: string, change: number): void;
  /** Register it before the function table, so that a function's series exist before its first call. */
  readonly observer: ProviderObserver;
  /** Finished calls since the gateway started, over all codes. */
  countOf(key: string): number;
  /** A copy: what is removed meanwhile has `removed` set and its rows given back. */
  list(): FunctionSeries[];
  readonly row: (row: number, column: number) => number;
  /** Over all functions, removed ones included. */
  readonly all: AllWaits;
}

const bucketOf = (seconds: number): number => {
  let bucket = 0;
  while (bucket < secondsBuckets.length && seconds > (secondsBuckets[bucket] ?? 0)) bucket += 1;
  return bucket;
};

const describe = (series: FunctionSeries, report: FunctionReport): void => {
  series.desired = report.replicas;
  const { min, max } = toScaleSpec(report.labels);
  series.min = min;
  series.max = max;
  series.failing = report.failure?.reason ?? '';
  const target = report.labels['com.openfaas.scale.target'] ?? '';
  series.target = /^\d{1,15}$/.test(target) ? target : '';
  series.scalingType = report.labels['com.openfaas.scale.type'] ?? 'rps';
};

const emptySeries = (key: string): FunctionSeries => ({
  key,
  removed: false,
  started: 0,
  inFlight: 0,
  queued: 0,
  cutRunning: 0,
  cutEnding: 0,
  waiting: 0,
  waits: undefined,
  scalings: undefined,
  refused: undefined,
  desired: 0,
  min: 1,
  max: 1,
  failing: '',
  target: '',
  scalingType: 'rps',
  ready: noneReady,
  rowByCode: noRows,
});

const countRefusal = (series: FunctionSeries, reason: string): void => {
  series.refused ??= new Map();
  series.refused.set(reason, (series.refused.get(reason) ?? 0) + 1);
};

const observe = (byKey: Map<string, FunctionSeries>, remove: (series: FunctionSeries) => void): ProviderObserver => ({
  functionChanged(report) {
    const key = formatRef(report.ref);
    const series = byKey.get(key) ?? emptySeries(key);
    byKey.set(key, series);
    describe(series, report);
  },
  functionRemoved(ref: FunctionRef) {
    const series = byKey.get(formatRef(ref));
    if (series !== undefined) remove(series);
  },
  endpointReady(ref: FunctionRef, endpoint: Endpoint) {
    const series = byKey.get(formatRef(ref));
    if (series !== undefined && !series.ready.includes(endpoint.id)) series.ready = [...series.ready, endpoint.id];
  },
  endpointGone(ref: FunctionRef, endpointId: string) {
    const series = byKey.get(formatRef(ref));
    if (series !== undefined) series.ready = series.ready.filter((id) => id !== endpointId);
    return Promise.resolve();
  },
  synced() {},
});

/** What has to do with replicas that are not there yet. */
const recordScaling = (
  byKey: ReadonlyMap<string, FunctionSeries>,
  all: AllWaits,
): Pick<FunctionMetrics, 'coldStart' | 'waited' | 'waiting' | 'scaled'> => ({
  coldStart(key, seconds) {
    const series = byKey.get(key);
    if (series === undefined) return;
    series.waits ??= new Waits();
    series.waits.coldStart(seconds);
    all.coldStart(seconds);
  },
  waited(key, line, seconds) {
    const series = byKey.get(key);
    if (series === undefined) return;
    series.waits ??= new Waits();
    series.waits.waited(line, seconds);
    all.waited(line, seconds);
  },
  waiting(key, change) {
    const series = byKey.get(key);
    if (series !== undefined) series.waiting = Math.max(0, series.waiting + change);
  },
  scaled(key, cause) {
    const series = byKey.get(key);
    if (series === undefined) return;
    series.scalings ??= new Map();
    series.scalings.set(cause, (series.scalings.get(cause) ?? 0) + 1);
  },
});

export const createFunctionMetrics = (): FunctionMetrics => {
  const byKey = new Map<string, FunctionSeries>();
  const slots = createSlots(width);
  const all = new AllWaits();

  const rowFor = (series: FunctionSeries, status: number): number => {
    const known = series.rowByCode.get(status);
    if (known !== undefined) return known;
    const code = series.rowByCode.size < maxCodes ? status : otherCode;
    const shared = series.rowByCode.get(code);
    if (shared !== undefined) return shared;
    const row = slots.take();
    series.rowByCode = new Map(series.rowByCode).set(code, row);
    return row;
  };

  const remove = (series: FunctionSeries): void => {
    series.removed = true;
    byKey.delete(series.key);
    for (const row of series.rowByCode.values()) slots.give(row);
    series.rowByCode = noRows;
  };

  const observer = observe(byKey, remove);

  return {
    started(key) {
      const series = byKey.get(key);
      if (series === undefined) return;
      series.started += 1;
      series.inFlight += 1;
    },
    finished(key, status, seconds) {
      const series = byKey.get(key);
      if (series === undefined) return;
      // A function that was removed and deployed again may see the end of a call that it did not begin.
      if (series.inFlight > 0) series.inFlight -= 1;
      const row = rowFor(series, status);
      slots.add(row, bucketOf(seconds), 1);
      slots.add(row, sumColumn, seconds);
      slots.add(row, countColumn, 1);
    },
    ...recordScaling(byKey, all),
    refused(key, reason) {
      const series = byKey.get(key);
      if (series !== undefined) countRefusal(series, reason);
    },
    cut(key, ending) {
      const series = byKey.get(key);
      if (series === undefined) return;
      if (ending) series.cutEnding += 1;
      else series.cutRunning += 1;
    },
    queued(key, change) {
      const series = byKey.get(key);
      if (series !== undefined) series.queued = Math.max(0, series.queued + change);
    },
    observer,
    countOf(key) {
      let count = 0;
      for (const row of byKey.get(key)?.rowByCode.values() ?? []) count += slots.get(row, countColumn);
      return count;
    },
    list: () => [...byKey.values()],
    row: slots.get,
    all,
  };
};

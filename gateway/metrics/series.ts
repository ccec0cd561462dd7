// What is counted and known of one function. Its entry in the table of functions holds it, so that counting a call looks up
// nothing.
import type { FunctionReport } from '../../provider/provider.ts';
import { toScaleSpec } from '../../provider/types/scale.ts';
import type { FunctionCounts } from '../invoke/metrics.ts';
import { escapeLabel } from './escape-label.ts';
import type { Page } from './page.ts';
import type { Slots } from './slots.ts';
import { type AllWaits, type Line, Waits } from './waits.ts';

/** Upper bounds of gateway_functions_seconds; the last bucket of a row counts what is above them. */
export const secondsBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
export const sumColumn = secondsBuckets.length + 1;
export const countColumn = sumColumn + 1;
export const rowWidth = countColumn + 1;

/** A function may answer any status; past this many different ones the rest share one series. */
export const maxCodes = 32;
const otherCode = 'other';

/** Who wanted another number of replicas: an operator, an alert, a call at zero, or nobody who called. */
export type ScaleCause = 'api' | 'alert' | 'call' | 'idle';

/** What all functions share. */
export type Books = {
  /** A row for each status that a function has answered. */
  readonly slots: Slots;
  /** Functions that were called, in the order of their first calls. */
  readonly called: Set<FunctionSeries>;
  /** Over all functions, removed ones included. */
  readonly all: AllWaits;
};

// One for all that were never called: thousands of functions sleep, and collections of their own would cost each of them.
const noRows: FunctionSeries['rowByCode'] = new Map();
const noneReady: readonly string[] = [];

const bucketOf = (seconds: number): number => {
  let bucket = 0;
  while (bucket < secondsBuckets.length && seconds > (secondsBuckets[bucket] ?? 0)) bucket += 1;
  return bucket;
};

export class FunctionSeries implements FunctionCounts {
  readonly key: string;
  /** The key as the value of a label; the same text where nothing is to be escaped. */
  readonly label: string;
  /** Of the functions whose text is kept with this one's. */
  readonly page: Page<FunctionSeries>;
  /** Nothing counts any more. */
  removed = false;
  /** Since the gateway started. */
  called = false;
  begun = 0;
  inFlight = 0;
  /** Calls in line for a place under the function's limits. */
  inLine = 0;
  /** Calls in line for a replica. */
  held = 0;
  /** Calls that their replica cut, while it ran and on its way out. */
  cutRunning = 0;
  cutEnding = 0;
  /** Absent before the first call that waited. */
  waits: Waits | undefined;
  /** Orders to change the number of replicas, by cause; absent before the first. */
  scalings: Map<ScaleCause, number> | undefined;
  /** Calls that got no endpoint, by reason; absent before the first. */
  refusals: Map<string, number> | undefined;
  desired = 0;
  min = 1;
  max = 1;
  /** Reason why no replica answers, where the provider gives one. */
  failing = '';
  /** Empty when the function has no target of its own. */
  target = '';
  scalingType = 'rps';
  /** Ids of endpoints; replaced, never changed. */
  ready = noneReady;
  /** Row of the books' slots by status code. */
  rowByCode: ReadonlyMap<number | typeof otherCode, number> = noRows;
  readonly #books: Books;

  constructor(key: string, page: Page<FunctionSeries>, books: Books) {
    this.key = key;
    this.label = escapeLabel(key);
    this.page = page;
    this.#books = books;
    page.add(this);
  }

  started(): void {
    this.begun += 1;
    this.inFlight += 1;
    this.#note();
  }

  finished(status: number, seconds: number): void {
    this.inFlight -= 1;
    // Its rows have been given back, perhaps to another function.
    if (this.removed) return;
    this.#note();
    const { slots } = this.#books;
    const row = this.#rowFor(status);
    slots.add(row, bucketOf(seconds), 1);
    slots.add(row, sumColumn, seconds);
    slots.add(row, countColumn, 1);
  }

  coldStart(seconds: readonly number[]): void {
    this.waits ??= new Waits();
    this.waits.coldStart(seconds);
    this.#books.all.coldStart(seconds);
    this.#note();
  }

  waited(line: Line, seconds: number): void {
    this.waits ??= new Waits();
    this.waits.waited(line, seconds);
    this.#books.all.waited(line, seconds);
    this.#note();
  }

  waiting(change: number): void {
    this.held += change;
    this.#note();
  }

  queued(change: number): void {
    this.inLine += change;
    this.#note();
  }

  refused(reason: string): void {
    this.refusals ??= new Map();
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    this.#note();
  }

  cut(ending: boolean): void {
    if (ending) this.cutEnding += 1;
    else this.cutRunning += 1;
    this.#note();
  }

  scaled(cause: ScaleCause): void {
    this.scalings ??= new Map();
    this.scalings.set(cause, (this.scalings.get(cause) ?? 0) + 1);
    this.page.reported();
  }

  report(report: FunctionReport): void {
    this.desired = report.replicas;
    const { min, max } = toScaleSpec(report.labels);
    this.min = min;
    this.max = max;
    this.failing = report.failure?.reason ?? '';
    const target = report.labels['com.openfaas.scale.target'] ?? '';
    this.target = /^\d{1,15}$/.test(target) ? target : '';
    this.scalingType = report.labels['com.openfaas.scale.type'] ?? 'rps';
    this.page.reported();
  }

  endpointReady(id: string): void {
    if (this.ready.includes(id)) return;
    this.ready = [...this.ready, id];
    this.page.reported();
  }

  endpointGone(id: string): void {
    this.ready = this.ready.filter((each) => each !== id);
    this.page.reported();
  }

  /** Gives back what it has of the books. */
  remove(): void {
    this.removed = true;
    this.#books.called.delete(this);
    for (const row of this.rowByCode.values()) this.#books.slots.give(row);
    this.rowByCode = noRows;
  }

  /** Finished calls, over all codes. */
  get calls(): number {
    let calls = 0;
    for (const row of this.rowByCode.values()) calls += this.#books.slots.get(row, countColumn);
    return calls;
  }

  #note(): void {
    this.page.counted = true;
    if (this.called || this.removed) return;
    this.called = true;
    this.#books.called.add(this);
  }

  #rowFor(status: number): number {
    const known = this.rowByCode.get(status);
    if (known !== undefined) return known;
    const code = this.rowByCode.size < maxCodes ? status : otherCode;
    const shared = this.rowByCode.get(code);
    if (shared !== undefined) return shared;
    const row = this.#books.slots.take();
    this.rowByCode = new Map(this.rowByCode).set(code, row);
    return row;
  }
}

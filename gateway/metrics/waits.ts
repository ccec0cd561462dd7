// What calls wait for: sums for each function that had any, histograms over all of them. Ten thousand functions with
// histograms of their own would make a scrape many times as long.
import { coldPhases } from '../invoke/cold-start.ts';
import { Histogram, waitBuckets } from './histogram.ts';

export const lines = ['limits', 'replica'] as const;
export type Line = (typeof lines)[number];

/** Of one function, made with its first wait. */
export class Waits {
  /** Seconds by phase. */
  readonly coldSeconds = new Float64Array(coldPhases.length);
  coldStarts = 0;
  /** Seconds, then calls, by line. */
  readonly queue = { limits: [0, 0] as [number, number], replica: [0, 0] as [number, number] };

  coldStart(seconds: readonly number[]): void {
    this.coldStarts += 1;
    for (const [phase, each] of seconds.entries()) this.coldSeconds[phase] = (this.coldSeconds[phase] as number) + each;
  }

  waited(line: Line, seconds: number): void {
    const sums = this.queue[line];
    sums[0] += seconds;
    sums[1] += 1;
  }
}

/** Of all functions together. */
export class AllWaits {
  readonly #cold = coldPhases.map(() => new Histogram(waitBuckets));
  readonly #queue = { limits: new Histogram(waitBuckets), replica: new Histogram(waitBuckets) };

  coldStart(seconds: readonly number[]): void {
    for (const [phase, each] of seconds.entries()) this.#cold[phase]?.observe(each);
  }

  waited(line: Line, seconds: number): void {
    this.#queue[line].observe(seconds);
  }

  *text(): Generator<string, void> {
    yield '# HELP gateway_cold_start_seconds Time that calls lost because their function had no replica, by phase.\n';
    yield '# TYPE gateway_cold_start_seconds histogram\n';
    for (const [index, phase] of coldPhases.entries()) {
      yield (this.#cold[index] as Histogram).lines('gateway_cold_start_seconds', `phase="${phase}"`);
    }
    yield '# HELP gateway_queue_seconds Time that calls stood in line, for a replica or for a place under the limits.\n';
    yield '# TYPE gateway_queue_seconds histogram\n';
    for (const line of lines) yield this.#queue[line].lines('gateway_queue_seconds', `line="${line}"`);
  }
}

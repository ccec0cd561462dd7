// A histogram over all functions, counted without a library.

/** Upper bounds for waits, in seconds: a start takes from milliseconds to the minute of an image pull. */
export const waitBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Histogram {
  readonly #bounds: readonly number[];
  /** One more than there are bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && seconds > (this.#bounds[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += seconds;
  }

  /** @param label such as `phase="boot"` */
  lines(name: string, label: string): string {
    let lines = '';
    let below = 0;
    for (const [index, count] of this.#counts.entries()) {
      below += count;
      lines += `${name}_bucket{${label},le="${this.#bounds[index] ?? '+Inf'}"} ${below}\n`;
    }
    return `${lines}${name}_sum{${label}} ${this.#sum}\n${name}_count{${label}} ${below}\n`;
  }
}

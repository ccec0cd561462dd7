// The few numbers that a benchmark is boiled down to.

/** The value below which the share `p` (0 to 1) of the values lies; `NaN` of none. */
export const percentile = (values: readonly number[], p: number): number => {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

/** Median of the ratios of each round: what the machine did meanwhile hits both sides of a round alike. */
export const pairedRatio = (ours: readonly number[], theirs: readonly number[]): number =>
  median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));

/** Median of the differences of each round, for the same reason. */
export const pairedDifference = (ours: readonly number[], theirs: readonly number[]): number =>
  median(ours.map((value, round) => value - (theirs[round] ?? Number.NaN)));

export type Point = { readonly x: number; readonly y: number };

/** How much `y` grows with each 1 of `x`, by the line of least squares; `NaN` of fewer than two different `x`. */
export const slope = (points: readonly Point[]): number => {
  const mean = (of: (point: Point) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / (spread === 0 ? Number.NaN : spread);
};

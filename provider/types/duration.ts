// Go durations, as OpenFaaS writes them in labels, environment variables and flags. Imports nothing: the watchdog uses it.

/** The longest that Node.js sets a timer for, 24 days; one that is set for longer goes off at once. */
export const longestTimerMs = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go counts nanoseconds in 63 bits: about 292 years. */
const longestMs = 2 ** 63 / 1e6;

/**
 * Milliseconds of a Go duration (`1m30s`, `250ms`, `1.5h`) or of a bare non-negative integer, which means seconds
 * as everywhere in OpenFaaS. `undefined` when the text is neither, or longer than Go can count.
 */
export const parseDuration = (text: string): number | undefined => {
  if (/^\d+$/.test(text)) return within(Number(text) * 1000);
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (const [, amount, unit] of (match[2] ?? '').matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return within(toNanosecond(match[1] === '-' ? -total : total));
};

// Sums of fractions are off in the last bits: 4.35h would be 4h20m59.999999999998s.
const toNanosecond = (ms: number): number => Math.round(ms * 1e6) / 1e6;

const within = (ms: number): number | undefined => (Math.abs(ms) < longestMs ? ms : undefined);

/** A duration as Go prints it: `1m30s`, `1.5s`, `250ms`, `0s`. */
export const formatDuration = (exactMs: number): string => {
  const ms = toNanosecond(exactMs);
  if (ms === 0) return '0s';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1) return ms < 0.001 ? `${Math.round(ms * 1e6)}ns` : `${trim(ms * 1000)}µs`;
  if (ms < 1000) return `${trim(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = trim((ms % 60_000) / 1000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
};

const trim = (value: number): string => String(Number(value.toFixed(9)));

// What a log query sees of a function's lines (OpenFaaS contract, 1.8).
import type { LogMessage, LogQuery } from '../types/logs.ts';
import type { LogLine, LogRing } from './log-ring.ts';

const defaultWindowMs = 5 * 60_000;

/** Sequence of the first line that the query wants of what is there now. */
const firstWanted = (ring: LogRing, query: LogQuery, nowMs: number): number => {
  const { tail, instance } = query;
  const sinceMs = query.sinceMs ?? (tail === undefined ? nowMs - defaultWindowMs : Number.NEGATIVE_INFINITY);
  let start = ring.next();
  let count = 0;
  for (let sequence = ring.next() - 1; sequence >= ring.first(); sequence -= 1) {
    const line = ring.at(sequence);
    if (line === undefined || line.timeMs < sinceMs || (tail !== undefined && count === tail)) break;
    if (instance === undefined || line.instance === instance) count += 1;
    start = sequence;
  }
  return start;
};

/** Ends by itself unless the query follows; a follower that reads too slowly is told how many lines it missed. */
export async function* readLogs(
  ring: LogRing,
  query: LogQuery,
  signal: AbortSignal,
  now: () => number,
): AsyncGenerator<LogMessage, void, undefined> {
  const toMessage = (line: LogLine): LogMessage => ({
    name: query.name,
    namespace: query.namespace,
    instance: line.instance,
    timestamp: new Date(line.timeMs).toISOString(),
    text: `${line.text}\n`,
  });
  let at = firstWanted(ring, query, now());
  const end = query.follow ? Number.POSITIVE_INFINITY : ring.next();
  while (!signal.aborted) {
    const missed = ring.first() - at;
    if (missed > 0) {
      at += missed;
      const text = `sluice: ${missed} lines were lost because the reader was too slow`;
      yield toMessage({ sequence: at, timeMs: now(), instance: query.instance ?? '', text });
      continue;
    }
    if (at >= end) return;
    const line = ring.at(at);
    if (line === undefined) {
      if (ring.closed()) return;
      await ring.changed(signal);
      continue;
    }
    at += 1;
    if (query.instance === undefined || line.instance === query.instance) yield toMessage(line);
  }
}

// The log of a function as it is now: the lines of all its pods, in the order of their times. Lines are passed on as they are
// read, so that a long log is never held whole.
import type { LogMessage, LogQuery } from '../types/logs.ts';
import { isEmpty, type Line, type LogsParts, type Reading, readPod, sinceOf, toMessage, wanted } from './log-lines.ts';
import type { Pod } from './objects.ts';
import { functionContainer, functionOf } from './pod-facts.ts';

type Lines = AsyncGenerator<Line, void, undefined>;

/** How a run of the container has ended, as a line of its log. @param lastMs of what it said itself, which it never precedes */
const endLine = (pod: Pod, lastMs: number): Line | undefined => {
  const status = functionContainer(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended?.finishedAt === undefined) return undefined;
  const { name, namespace = '' } = pod.metadata;
  const text = `sluice: the function exited with code ${ended.exitCode}${ended.reason === undefined ? '' : ` (${ended.reason})`}\n`;
  // Kubernetes counts whole seconds here.
  const timeMs = Math.max(Date.parse(ended.finishedAt), lastMs);
  return { name: functionOf(pod), namespace, instance: name, timestamp: new Date(timeMs).toISOString(), text, timeMs };
};

/** The next line; a log that is not there has none. */
const next = async (lines: Lines): Promise<Line | undefined> => {
  try {
    const { value, done } = await lines.next();
    return done ? undefined : (value as Line);
  } catch (error) {
    if (isEmpty(error)) return undefined;
    throw error;
  }
};

async function* rest(first: Line | undefined, lines: Lines): Lines {
  for (let line = first; line !== undefined; line = await next(lines)) yield line;
}

/** What the run before the present one has said, how it ended, and what the present one has said. */
async function* inOrder(pod: Pod, before: Lines, present: Lines): Lines {
  const [first, second] = await Promise.all([next(before), next(present)]);
  // While a container is started again, both questions may be about the same run.
  const isAgain = first !== undefined && first.timestamp === second?.timestamp && first.text === second.text;
  const isOver = isAgain || (first === undefined && functionContainer(pod)?.state?.terminated !== undefined);
  let lastMs = 0;
  for await (const line of isOver ? rest(second, present) : rest(first, before)) {
    lastMs = line.timeMs;
    yield line;
  }
  const end = endLine(pod, lastMs);
  if (end !== undefined) yield end;
  if (!isOver) yield* rest(second, present);
}

async function* readRuns({ api }: LogsParts, reading: Reading): Lines {
  const status = functionContainer(reading.pod);
  const hasEnded = (status?.restartCount ?? 0) > 0 || status?.state?.terminated !== undefined;
  const present = readPod(api, reading);
  const before = readPod(api, { ...reading, query: { ...reading.query, previous: true } });
  try {
    yield* hasEnded ? inOrder(reading.pod, before, present) : rest(await next(present), present);
  } finally {
    await Promise.allSettled([before.return(), present.return()]);
  }
}

/** -1 when there is none. */
const indexOfOldest = (heads: readonly (Line | undefined)[]): number => {
  let oldest = -1;
  for (const [index, head] of heads.entries()) {
    const best = heads[oldest];
    if (head !== undefined && (best === undefined || head.timeMs < best.timeMs)) oldest = index;
  }
  return oldest;
};

/** @param sources each in the order of its times */
async function* mergeByTime(sources: readonly Lines[]): Lines {
  const heads = await Promise.all(sources.map((lines) => next(lines)));
  for (;;) {
    const oldest = indexOfOldest(heads);
    const line = heads[oldest];
    if (line === undefined) return;
    yield line;
    heads[oldest] = await next(sources[oldest] as Lines);
  }
}

/** @throws KubeError when Kubernetes refuses; Error when it cannot be asked */
export async function* readPresent(
  parts: LogsParts,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, void, undefined> {
  const sinceMs = sinceOf(query, parts.now());
  const limits = { tailLines: query.tail, sinceTime: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString() };
  const leaving = new AbortController();
  const reading = { query: limits, signal: AbortSignal.any([signal, leaving.signal]) };
  const pods = wanted(parts.pods(), query.instance);
  const sources = pods.map((pod) => readRuns(parts, { ...reading, pod }));
  const last: Line[] = [];
  try {
    for await (const line of mergeByTime(sources)) {
      if (sinceMs !== undefined && line.timeMs < sinceMs) continue;
      if (query.tail === undefined) yield toMessage(line);
      else if (last.push(line) >= 2 * query.tail) last.splice(0, last.length - query.tail);
    }
    if (query.tail !== undefined) for (const line of last.slice(-query.tail)) yield toMessage(line);
  } finally {
    leaving.abort();
    for (const source of sources) source.return().catch(() => undefined);
  }
}

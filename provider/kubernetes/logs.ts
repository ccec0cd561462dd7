// The logs of a function's pods (OpenFaaS contract, 1.8): those that are there, and, when followed, those that come.
import type { LogMessage, LogQuery } from '../types/logs.ts';
import { type KubeApi, paths } from './api.ts';
import { hasReason, isNotFound, toFaasError } from './errors.ts';
import type { Pod } from './objects.ts';
import { functionContainer, functionOf } from './pod-facts.ts';
import { createQueue } from './queue.ts';
import { toLines } from './to-lines.ts';

export type LogsParts = {
  readonly api: KubeApi;
  readonly pods: () => readonly Pod[];
  /** Calls when the pods of the function may have changed; returns what ends it. */
  readonly onPods: (listener: () => void) => () => void;
  readonly now: () => number;
};

const defaultWindowMs = 5 * 60_000;

type Line = LogMessage & { readonly timeMs: number };

/** Nanoseconds of Kubernetes' timestamps compare as texts of one length. */
const parseLine = (line: string, pod: Pod): Line | undefined => {
  const space = line.indexOf(' ');
  const timestamp = line.slice(0, space);
  const timeMs = Date.parse(timestamp);
  if (space === -1 || Number.isNaN(timeMs)) return undefined;
  const { name, namespace = '' } = pod.metadata;
  return { name: functionOf(pod), namespace, instance: name, timestamp, text: `${line.slice(space + 1)}\n`, timeMs };
};

const containerName = (pod: Pod): string | undefined => functionContainer(pod)?.name ?? pod.spec?.containers?.[0]?.name;

type Reading = {
  readonly pod: Pod;
  readonly signal: AbortSignal;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
};

async function* readPod(api: KubeApi, { pod, signal, query }: Reading): AsyncGenerator<Line, void, undefined> {
  const { name, namespace = '' } = pod.metadata;
  const pieces = await api.stream(paths.log(namespace, name), {
    query: { ...query, container: containerName(pod), timestamps: true },
    signal,
  });
  for await (const line of toLines(pieces)) {
    const parsed = parseLine(line, pod);
    if (parsed !== undefined) yield parsed;
  }
}

/** A pod that is not there any more, or whose container has not begun, has no lines. */
const isEmpty = (error: unknown): boolean => isNotFound(error) || hasReason(error, 'BadRequest');

const sinceOf = (query: LogQuery, nowMs: number): number | undefined =>
  query.sinceMs ?? (query.tail === undefined ? nowMs - defaultWindowMs : undefined);

/** How a run of the container has ended, as a line of its log; never before what it said itself. */
const endLine = (pod: Pod, said: readonly Line[]): Line[] => {
  const status = functionContainer(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended?.finishedAt === undefined) return [];
  const { name, namespace = '' } = pod.metadata;
  const text = `sluice: the function exited with code ${ended.exitCode}${ended.reason === undefined ? '' : ` (${ended.reason})`}\n`;
  // Kubernetes counts whole seconds here.
  const timeMs = Math.max(Date.parse(ended.finishedAt), said.at(-1)?.timeMs ?? 0);
  return [{ name: functionOf(pod), namespace, instance: name, timestamp: new Date(timeMs).toISOString(), text, timeMs }];
};

const wanted = (pods: readonly Pod[], instance: string | undefined): readonly Pod[] =>
  instance === undefined ? pods : pods.filter(({ metadata }) => metadata.name === instance.split('/', 1)[0]);

const collect = async (lines: AsyncIterable<Line>): Promise<Line[]> => {
  const all: Line[] = [];
  try {
    for await (const line of lines) all.push(line);
  } catch (error) {
    if (!isEmpty(error)) throw error;
  }
  return all;
};

/** What the present run of a pod's container has said, and the one before it. */
const readRuns = async ({ api }: LogsParts, reading: Reading): Promise<Line[]> => {
  const status = functionContainer(reading.pod);
  const hasEnded = (status?.restartCount ?? 0) > 0 || status?.state?.terminated !== undefined;
  if (!hasEnded) return collect(readPod(api, reading));
  const [before, present] = await Promise.all([
    collect(readPod(api, { ...reading, query: { ...reading.query, previous: true } })),
    collect(readPod(api, reading)),
  ]);
  // While a container is started again, both questions may be about the same run.
  const seen = new Set(before.map((line) => line.timestamp + line.text));
  const isAgain = present.some((line) => seen.has(line.timestamp + line.text));
  const [ended, running] = isAgain || (before.length === 0 && status?.state?.terminated) ? [present, []] : [before, present];
  return [...ended, ...endLine(reading.pod, ended), ...running];
};

/** All lines that are there, in the order of their times. */
const readPresent = async (parts: LogsParts, query: LogQuery, signal: AbortSignal): Promise<Line[]> => {
  const sinceMs = sinceOf(query, parts.now());
  const limits = { tailLines: query.tail, sinceTime: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString() };
  const pods = wanted(parts.pods(), query.instance);
  const perPod = await Promise.all(pods.map((pod) => readRuns(parts, { pod, signal, query: limits })));
  const lines = perPod.flat().filter((line) => sinceMs === undefined || line.timeMs >= sinceMs);
  lines.sort((a, b) => a.timeMs - b.timeMs);
  return query.tail === undefined ? lines : lines.slice(-query.tail);
};

const toMessage = ({ timeMs: _, ...message }: Line): LogMessage => message;

/** Reads one pod for as long as it is there: a container that is started again goes on where the last one ended. */
const followPod = async (parts: LogsParts, first: Pod, from: Follow): Promise<void> => {
  let last = '';
  let query: Reading['query'] = from.query;
  while (!from.signal.aborted) {
    try {
      for await (const line of readPod(parts.api, { pod: first, signal: from.signal, query: { ...query, follow: true } })) {
        // Kubernetes' `sinceTime` counts whole seconds: what was seen comes again.
        if (line.timestamp <= last || line.timeMs < from.sinceMs) continue;
        last = line.timestamp;
        await from.put(line);
      }
    } catch (error) {
      if (from.signal.aborted) return;
      if (!isEmpty(error)) from.note(error);
    }
    if (!parts.pods().some(({ metadata }) => metadata.uid === first.metadata.uid)) return;
    if (last !== '') query = { sinceTime: last };
    await from.pause();
  }
};

type Follow = {
  readonly query: Reading['query'];
  readonly sinceMs: number;
  readonly signal: AbortSignal;
  readonly put: (line: Line) => Promise<void>;
  readonly note: (error: unknown) => void;
  /** Resolves after a moment, or when it is over. */
  readonly pause: () => Promise<void>;
};

const retryMs = 500;

async function* follow(parts: LogsParts, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogMessage, void, undefined> {
  const ending = new AbortController();
  const queue = createQueue<Line>(1000, AbortSignal.any([signal, ending.signal]));
  const seen = new Set<string | undefined>();
  const sinceMs = sinceOf(query, parts.now());
  const since = sinceMs === undefined ? undefined : new Date(sinceMs).toISOString();
  const begin = (isFirst: boolean): void => {
    for (const pod of wanted(parts.pods(), query.instance)) {
      if (seen.has(pod.metadata.uid)) continue;
      seen.add(pod.metadata.uid);
      void followPod(parts, pod, {
        // Of pods that come later every line is new.
        query: isFirst ? { tailLines: query.tail, sinceTime: since } : {},
        sinceMs: (isFirst ? sinceMs : undefined) ?? Number.NEGATIVE_INFINITY,
        signal: queue.signal,
        put: queue.put,
        note: () => undefined,
        pause: () => queue.pause(retryMs),
      });
    }
  };
  const stop = parts.onPods(() => begin(false));
  begin(true);
  try {
    for (let line = await queue.take(); line !== undefined; line = await queue.take()) yield toMessage(line);
  } finally {
    stop();
    ending.abort();
  }
}

/** Ends by itself unless the query follows. @throws FaasError when Kubernetes cannot be asked */
export async function* readLogs(
  parts: LogsParts,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, void, undefined> {
  if (query.follow) {
    yield* follow(parts, query, signal);
    return;
  }
  let lines: Line[];
  try {
    lines = await readPresent(parts, query, signal);
  } catch (error) {
    if (signal.aborted) return;
    throw toFaasError(error, `the logs of function ${JSON.stringify(query.name)}`);
  }
  for (const line of lines) yield toMessage(line);
}

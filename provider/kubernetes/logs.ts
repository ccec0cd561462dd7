// The logs of a function's pods (OpenFaaS contract, 1.8): those that are there, and, when followed, those that come.
import type { LogMessage, LogQuery } from '../types/logs.ts';
import { KubeError, toFaasError } from './errors.ts';
import { type Line, type LogsParts, type Reading, readPod, sinceOf, toMessage, wanted } from './log-lines.ts';
import type { Pod } from './objects.ts';
import { readPresent } from './present-logs.ts';
import { createQueue } from './queue.ts';

const isRefusal = (error: unknown): boolean => error instanceof KubeError && (error.status === 401 || error.status === 403);

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
      // What is cut goes on; what we may not read will not get better by asking again.
      if (isRefusal(error)) from.refused(error);
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
  /** Called when Kubernetes does not let us read it. */
  readonly refused: (error: unknown) => void;
  /** Resolves after a moment, or when it is over. */
  readonly pause: () => Promise<void>;
};

const retryMs = 500;

async function* follow(parts: LogsParts, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogMessage, void, undefined> {
  const ending = new AbortController();
  const queue = createQueue<Line>(1000, AbortSignal.any([signal, ending.signal]));
  const seen = new Set<string | undefined>();
  let refusal: unknown;
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
        refused: (error) => {
          refusal ??= error;
          ending.abort();
        },
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
  if (refusal !== undefined) throw refusal;
}

/** Ends by itself unless the query follows. @throws FaasError when Kubernetes cannot be asked */
export async function* readLogs(
  parts: LogsParts,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, void, undefined> {
  try {
    yield* query.follow ? follow(parts, query, signal) : readPresent(parts, query, signal);
  } catch (error) {
    if (!signal.aborted) throw toFaasError(error, `the logs of function ${JSON.stringify(query.name)}`);
  }
}

// The lines of a pod's container, as Kubernetes has them.
import type { LogMessage, LogQuery } from '../types/logs.ts';
import { type KubeApi, paths } from './api.ts';
import { hasReason, isNotFound } from './errors.ts';
import type { Pod } from './objects.ts';
import { functionContainer, functionOf } from './pod-facts.ts';
import { toLines } from './to-lines.ts';

export type LogsParts = {
  readonly api: KubeApi;
  readonly pods: () => readonly Pod[];
  /** Calls when the pods of the function may have changed; returns what ends it. */
  readonly onPods: (listener: () => void) => () => void;
  readonly now: () => number;
};

export type Line = LogMessage & { readonly timeMs: number };

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

export type Reading = {
  readonly pod: Pod;
  readonly signal: AbortSignal;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
};

export async function* readPod(api: KubeApi, { pod, signal, query }: Reading): AsyncGenerator<Line, void, undefined> {
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
export const isEmpty = (error: unknown): boolean => isNotFound(error) || hasReason(error, 'BadRequest');

const defaultWindowMs = 5 * 60_000;

/** In ms since 1970; `undefined` for all there is. */
export const sinceOf = (query: LogQuery, nowMs: number): number | undefined =>
  query.sinceMs ?? (query.tail === undefined ? nowMs - defaultWindowMs : undefined);

export const wanted = (pods: readonly Pod[], instance: string | undefined): readonly Pod[] =>
  instance === undefined ? pods : pods.filter(({ metadata }) => metadata.name === instance.split('/', 1)[0]);

export const toMessage = ({ timeMs: _, ...message }: Line): LogMessage => message;

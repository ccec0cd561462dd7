// Load on a gateway from a process of its own, so that neither the gateway nor the test slows it down: a fixed number of
// calls per second whatever becomes of them, half on fresh connections, GET and POST.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Cleanup, onEnd } from './cleanup.ts';
import type { FromWorker, LoadAnswer, LoadPlan, LoadResult, ToWorker } from './load-plan.ts';

export type { LoadAnswer, LoadFailure, LoadPlan, LoadResult } from './load-plan.ts';

const worker = fileURLToPath(new URL('load-worker.ts', import.meta.url));

export type Load = {
  /** Begins no more calls and resolves with everything when the last one has ended. */
  stop(): Promise<LoadResult>;
};

/** Resolves once the first call was begun. */
export const startLoad = async (t: Cleanup, plan: LoadPlan): Promise<Load> => {
  const child = fork(worker, { execArgv: [], env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onEnd(t, () => void child.kill('SIGKILL'));
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the load generator ended with ${code ?? signal}`);
  });
  gone.catch(() => undefined);
  const next = async (): Promise<FromWorker> => {
    const message = once(child, 'message').then(([value]) => value as FromWorker);
    return Promise.race([message, gone]);
  };
  const started = next();
  child.send({ kind: 'start', plan } satisfies ToWorker);
  await started;
  return {
    async stop() {
      const answer = next();
      child.send({ kind: 'stop' } satisfies ToWorker);
      const message = await answer;
      if (message.kind !== 'result') throw new Error(`the load generator said ${message.kind}`);
      return message.result;
    },
  };
};

export type VersionSpan = {
  readonly version: string;
  readonly count: number;
  readonly firstAnsweredMs: number;
  readonly lastAnsweredMs: number;
  /** Latest begin of a call that this version answered. */
  readonly lastSentMs: number;
};

/** Which versions answered, in order of their first answer. */
export const versionSpans = (answers: readonly LoadAnswer[]): VersionSpan[] => {
  const spans = new Map<string, VersionSpan>();
  for (const { version, sentMs, answeredMs } of answers) {
    const before = spans.get(version);
    spans.set(version, {
      version,
      count: (before?.count ?? 0) + 1,
      firstAnsweredMs: Math.min(before?.firstAnsweredMs ?? answeredMs, answeredMs),
      lastAnsweredMs: Math.max(before?.lastAnsweredMs ?? answeredMs, answeredMs),
      lastSentMs: Math.max(before?.lastSentMs ?? sentMs, sentMs),
    });
  }
  return [...spans.values()].sort((a, b) => a.firstAnsweredMs - b.firstAnsweredMs);
};

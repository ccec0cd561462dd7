// Closed-loop load from a process of its own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';
import type { ClosedLoadPlan, ClosedLoadResult, FromLoad, ToLoad } from './plan.ts';

export type ClosedLoad = {
  /** Resolves with everything when the last call has ended. */
  stop(): Promise<ClosedLoadResult>;
};

/** Resolves when it has begun. */
export const startClosedLoad = async (t: Cleanup, plan: ClosedLoadPlan): Promise<ClosedLoad> => {
  const worker = fileURLToPath(new URL('load-worker.ts', import.meta.url));
  const child = fork(worker, { execArgv: [], env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onEnd(t, () => void child.kill('SIGKILL'));
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the load ended with ${code ?? signal}`);
  });
  gone.catch(() => undefined);
  const ask = async (message: ToLoad): Promise<FromLoad> => {
    const answer = once(child, 'message').then(([value]) => value as FromLoad);
    child.send(message);
    return Promise.race([answer, gone]);
  };
  await ask({ kind: 'start', plan });
  return {
    async stop() {
      const message = await ask({ kind: 'stop' });
      if (message.kind !== 'result') throw new Error(`the load said ${message.kind}`);
      return message.result;
    },
  };
};

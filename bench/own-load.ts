// Our own load generator, for machines without wrk: a process of its own, see own-load-worker.ts.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Generator, Measurement, Shape } from './measure.ts';

const worker = fileURLToPath(new URL('own-load-worker.ts', import.meta.url));

const measure = async (shape: Shape): Promise<Measurement> => {
  const child = fork(worker, { execArgv: [], env: {} });
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the load process ended with ${code ?? signal}`);
  });
  gone.catch(() => undefined);
  try {
    child.send(shape);
    const [measured] = await Promise.race([once(child, 'message'), gone]);
    return measured as Measurement;
  } finally {
    child.kill('SIGKILL');
  }
};

export const ownLoad: Generator = { name: 'own load process (raw sockets, one thread)', measure };

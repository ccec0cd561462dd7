// The gateway's end of the database thread: sends commands, and tells when they are committed.
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FaasError } from '../../types/errors.ts';
import type { Log } from '../log.ts';
import type { Command, SnapshotPart } from './command.ts';
import type { ThreadAnswer, ThreadOptions, ThreadRequest, Written } from './thread-messages.ts';
import { fromPlainError } from './thread-messages.ts';

type Waiting = {
  readonly committed: () => void;
  readonly failed: (error: FaasError) => void;
};

export interface DatabaseThread {
  /** Calls one of the two, in the order of the writes, and never before it returns. */
  write(command: Command, committed: () => void, failed: (error: FaasError) => void): void;
  isAlive(): boolean;
  /** Resolves when earlier writes are finished and the file is closed. */
  close(): Promise<void>;
}

/** The source file under Node's own type stripping, the compiled one in a build. */
const entry = new URL(`./thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

const gone = (reason: string): FaasError => new FaasError('internal', `the database thread has ended: ${reason}`);

const serve = (worker: Worker, log: Log): DatabaseThread => {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let dead: FaasError | undefined;
  let closing: Promise<void> | undefined;

  const finish = ({ id, error }: Written): void => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.committed();
    else one?.failed(fromPlainError(error));
  };

  const die = (reason: string): void => {
    if (dead !== undefined) return;
    dead = gone(reason);
    if (closing === undefined) log.error({ reason }, 'the database thread has ended, nothing can be stored any more');
    for (const one of waiting.values()) one.failed(dead);
    waiting.clear();
  };

  worker.on('message', (answer: ThreadAnswer) => {
    if (answer.kind === 'written') for (const result of answer.results) finish(result);
  });
  worker.on('error', (error: unknown) => die(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => die(closing === undefined ? `exit code ${code}` : 'closed'));

  const send = (request: ThreadRequest): void => worker.postMessage(request);

  return {
    write: (command, committed, failed) => {
      const refusal = closing === undefined ? dead : new FaasError('unavailable', 'the store is closed');
      if (refusal !== undefined) {
        queueMicrotask(() => failed(refusal));
        return;
      }
      const id = nextId;
      nextId += 1;
      waiting.set(id, { committed, failed });
      send({ kind: 'write', id, command });
    },
    isAlive: () => dead === undefined,
    close: () => {
      closing ??= new Promise((resolve) => {
        if (dead !== undefined) return resolve();
        worker.once('exit', () => resolve());
        send({ kind: 'close' });
      });
      return closing;
    },
  };
};

const opened = (worker: Worker, onPart: (part: SnapshotPart) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const onMessage = (answer: ThreadAnswer): void => {
      if (answer.kind === 'part') onPart(answer.part);
      else if (answer.kind === 'refused') reject(fromPlainError(answer.error));
      else if (answer.kind === 'opened') {
        worker.off('message', onMessage);
        resolve();
      }
    };
    worker.on('message', onMessage);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(gone(`exit code ${code}`)));
  });

/** What a thread that has little to do at a time needs; without it, it would keep what its busiest moment took. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/**
 * @param onPart gets all that the database holds before this resolves
 * @throws internal, naming the file, when the database cannot be opened
 */
export const startDatabaseThread = async (
  options: ThreadOptions,
  onPart: (part: SnapshotPart) => void,
  log: Log,
): Promise<DatabaseThread> => {
  const worker = new Worker(entry, { workerData: options, execArgv: [], env: {}, name: 'sluice-store', resourceLimits });
  try {
    await opened(worker, onPart);
    return serve(worker, log);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
};

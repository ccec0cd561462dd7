// Entry point of the database thread: the only code that touches the database file, and free to wait for the disk.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { inTransaction, openDatabase } from './database.ts';
import { createExecute } from './execute.ts';
import { readSnapshot } from './snapshot.ts';
import type { ThreadAnswer, ThreadOptions, ThreadRequest } from './thread-messages.ts';
import { toPlainError } from './thread-messages.ts';
import type { Write } from './write-batch.ts';
import { writeBatch } from './write-batch.ts';

/** Bounds how long the first caller of a batch waits for the last. */
const maxBatch = 256;

const serve = (): void => {
  const port = parentPort;
  if (port === null) return;
  const answer = (message: ThreadAnswer): void => port.postMessage(message);
  const { file, defaultNamespace, migrations } = workerData as ThreadOptions;

  const database = openDatabase(file, migrations);
  const execute = createExecute(database, defaultNamespace);
  inTransaction(database, () => {
    database
      .prepare("INSERT INTO namespaces (name, labels, annotations) VALUES (?, '{}', '{}') ON CONFLICT DO NOTHING")
      .run(defaultNamespace);
  });
  for (const part of readSnapshot(database, file)) answer({ kind: 'part', part });
  answer({ kind: 'opened' });

  port.on('message', (first: ThreadRequest) => {
    const writes: Write[] = [];
    let request: ThreadRequest | undefined = first;
    while (request?.kind === 'write') {
      writes.push(request);
      request = writes.length < maxBatch ? (receiveMessageOnPort(port)?.message as ThreadRequest | undefined) : undefined;
    }
    if (writes.length > 0) answer({ kind: 'written', results: writeBatch(database, execute, writes) });
    if (request?.kind !== 'close') return;
    database.close();
    answer({ kind: 'closed' });
    port.close();
  });
};

try {
  serve();
} catch (error) {
  parentPort?.postMessage({ kind: 'refused', error: toPlainError(error) } satisfies ThreadAnswer);
}

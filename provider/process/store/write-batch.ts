// Writes several commands with one commit, so that callers who wait at the same time share one sync of the disk.
// Runs in the database thread.
import type { DatabaseSync } from 'node:sqlite';
import { FaasError, isFaasError } from '../../types/errors.ts';
import { inTransaction } from './database.ts';
import type { Execute } from './execute.ts';
import type { PlainError, ThreadRequest, Written } from './thread-messages.ts';
import { toPlainError } from './thread-messages.ts';

export type Write = Extract<ThreadRequest, { kind: 'write' }>;

const runOne = (database: DatabaseSync, execute: Execute, write: Write): PlainError | undefined => {
  database.exec('SAVEPOINT command');
  try {
    execute(write.command);
    return undefined;
  } catch (error) {
    // What is no refusal of ours is the disk's: the whole batch fails with it.
    if (!isFaasError(error)) throw error;
    database.exec('ROLLBACK TO command');
    return toPlainError(error);
  } finally {
    if (database.isTransaction) database.exec('RELEASE command');
  }
};

/** Never throws: each command gets its own refusal, or all get the reason why nothing could be written. */
export const writeBatch = (database: DatabaseSync, execute: Execute, writes: readonly Write[]): Written[] => {
  const results: Written[] = [];
  try {
    inTransaction(database, () => {
      for (const write of writes) results.push({ id: write.id, error: runOne(database, execute, write) });
    });
    return results;
  } catch (error) {
    const failure = toPlainError(
      new FaasError('internal', `the database could not be written: ${(error as Error).message}`, { cause: error }),
    );
    return writes.map((write) => ({ id: write.id, error: failure }));
  }
};

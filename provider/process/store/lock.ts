// One gateway per data directory. The lock is SQLite's own file lock on a database without content: the system drops it
// when its holder dies in whatever way, so that it is never stale.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FaasError } from '../../types/errors.ts';
import { ensurePrivateFile } from './private-files.ts';

export const lockFile = 'lock.db';
const holderFile = 'lock.holder';

const busy = 5;

export type DirectoryLock = { release(): void };

const readHolder = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim() || 'another gateway';
  } catch {
    return 'another gateway';
  }
};

/** @throws conflict, naming the holder, when the directory is locked */
export const lockDirectory = (directory: string, holder: string): DirectoryLock => {
  const file = join(directory, lockFile);
  const told = join(directory, holderFile);
  ensurePrivateFile(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is ever written, and a journal on disk would only be one more file to be left behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== busy) {
      throw new FaasError('internal', `${file}: the lock of the data directory cannot be taken: ${(error as Error).message}`, {
        cause: error,
      });
    }
    throw new FaasError('conflict', `data directory: ${directory} is in use by ${readHolder(told)}`);
  }
  ensurePrivateFile(told);
  writeFileSync(told, `${holder}\n`);
  return {
    release: () => {
      rmSync(told, { force: true });
      database.close();
    },
  };
};

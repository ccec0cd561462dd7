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

const acquire = (file: string, told: string, holder: string): DatabaseSync => {
  ensurePrivateFile(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is ever written, and a journal on disk would only be one more file to be left behind.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    ensurePrivateFile(told);
    writeFileSync(told, `${holder}\n`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

/** @throws conflict, naming the holder, when the directory is locked */
export const lockDirectory = (directory: string, holder: string): DirectoryLock => {
  const file = join(directory, lockFile);
  const told = join(directory, holderFile);
  let database: DatabaseSync;
  try {
    database = acquire(file, told, holder);
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) {
      throw new FaasError('conflict', `data directory: ${directory} is in use by ${readHolder(told)}`, { cause: error });
    }
    throw new FaasError('internal', `${file}: the data directory cannot be locked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return {
    release: () => {
      rmSync(told, { force: true });
      database.close();
    },
  };
};

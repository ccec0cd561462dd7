// Opens the database file: checked, private, durable, and at the schema version that this release knows.
// Runs in the database thread.
import { renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FaasError } from '../../types/errors.ts';
import { ensurePrivateFile, syncPath } from './private-files.ts';

/** SQLite's result codes CORRUPT and NOTADB. */
const damaged = new Set([11, 26]);

const number = (database: DatabaseSync, sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0]);

const check = (database: DatabaseSync, file: string): void => {
  const found = database
    .prepare('PRAGMA quick_check(3)')
    .all()
    .map((row) => String(Object.values(row)[0]));
  if (found.length === 1 && found[0] === 'ok') return;
  throw new FaasError(
    'internal',
    `${file}: the database is damaged (${found.join('; ')}); put a copy in its place or move it away`,
  );
};

const configure = (database: DatabaseSync): void => {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA journal_size_limit = 4194304;
  `);
};

/** A complete copy beside the database, under its final name only once it is on disk. */
const backUp = (database: DatabaseSync, file: string, version: number): void => {
  const backup = `${file}.backup-v${version}`;
  const partial = `${backup}.partial`;
  rmSync(partial, { force: true });
  ensurePrivateFile(partial);
  database.prepare('VACUUM INTO ?').run(partial);
  syncPath(partial);
  renameSync(partial, backup);
  syncPath(dirname(file));
};

/** Runs `change` in a transaction of its own: all of it is durable afterwards, or nothing of it happened. */
export const inTransaction = (database: DatabaseSync, change: () => void): void => {
  database.exec('BEGIN IMMEDIATE');
  try {
    change();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
};

const migrate = (database: DatabaseSync, file: string, migrations: readonly string[]): void => {
  const version = number(database, 'PRAGMA user_version');
  const known = migrations.length;
  if (version > known) {
    throw new FaasError(
      'internal',
      `${file}: expected a database of version ${known} or older, got version ${version}: a newer release has used it`,
    );
  }
  if (version === known) return;
  const isNew = version === 0 && number(database, 'SELECT count(*) FROM sqlite_schema') === 0;
  if (!isNew) backUp(database, file, version);
  inTransaction(database, () => {
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${known}`);
  });
};

/**
 * @param migrations entry n brings the database from version n to n + 1; a database that is not new is copied to
 *   `<file>.backup-v<its version>` before the first step
 * @throws internal, naming the file, when it is damaged, newer than the list, or cannot be read
 */
export const openDatabase = (file: string, migrations: readonly string[]): DatabaseSync => {
  ensurePrivateFile(file);
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    check(database, file);
    configure(database);
    migrate(database, file, migrations);
    syncPath(dirname(file));
    return database;
  } catch (error) {
    database.close();
    if (error instanceof FaasError) throw error;
    const { errcode, message } = error as { errcode?: number; message: string };
    const what =
      errcode !== undefined && damaged.has(errcode)
        ? `the database is damaged (${message}); put a copy in its place or move it away`
        : `the database cannot be opened: ${message}`;
    throw new FaasError('internal', `${file}: ${what}`, { cause: error });
  }
};

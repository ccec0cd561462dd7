// Reads all rows of the database, once, on opening. Runs in the database thread.
import type { DatabaseSync } from 'node:sqlite';
import { FaasError } from '../../types/errors.ts';
import type { Snapshot } from './command.ts';

type Row = Readonly<Record<string, unknown>>;

const ref = (row: Row) => ({ namespace: String(row.namespace), name: String(row.name) });

const texts = (json: unknown): Record<string, string> => JSON.parse(String(json)) as Record<string, string>;

/** Kept as text, which crosses threads faster than objects; parsed all the same, to find damage before anything starts. */
const checkedJson = (json: unknown): string => {
  JSON.parse(String(json));
  return String(json);
};

const read = (database: DatabaseSync): Snapshot => {
  const all = (sql: string): Row[] => database.prepare(sql).all();
  return {
    namespaces: all('SELECT * FROM namespaces ORDER BY name').map((row) => ({
      name: String(row.name),
      labels: texts(row.labels),
      annotations: texts(row.annotations),
    })),
    functions: all('SELECT * FROM functions ORDER BY namespace, name').map((row) => ({
      ref: ref(row),
      spec: { json: checkedJson(row.spec), digest: undefined },
      replicas: Number(row.replicas),
      createdAt: String(row.created_at),
      calledAtMs: Number(row.called_at_ms),
    })),
    secrets: all('SELECT * FROM secrets ORDER BY namespace, name').map((row) => ({
      ref: ref(row),
      value: row.value as Uint8Array,
    })),
    recentImages: all('SELECT * FROM recent_images ORDER BY id DESC').map((row) => ({
      ref: ref(row),
      digest: String(row.digest),
    })),
  };
};

/** @throws internal, naming the file, when a row is not what was written */
export const readSnapshot = (database: DatabaseSync, file: string): Snapshot => {
  try {
    return read(database);
  } catch (error) {
    throw new FaasError(
      'internal',
      `${file}: the database is damaged (${(error as Error).message}); put a copy in its place or move it away`,
      { cause: error },
    );
  }
};

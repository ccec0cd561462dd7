// Reads all rows of the database, once, on opening; in parts, so that neither thread ever holds all of them twice. Runs in the
// database thread.
import type { DatabaseSync } from 'node:sqlite';
import { FaasError } from '../../types/errors.ts';
import type { SnapshotPart } from './command.ts';

type Row = Readonly<Record<string, unknown>>;

const ref = (row: Row) => ({ namespace: String(row.namespace), name: String(row.name) });

const texts = (json: unknown): Record<string, string> => JSON.parse(String(json)) as Record<string, string>;

/** Kept as text, which crosses threads faster than objects; parsed all the same, to find damage before anything starts. */
const checkedJson = (json: unknown): string => {
  JSON.parse(String(json));
  return String(json);
};

const rowsInPart = 250;

function* inParts<Value>(database: DatabaseSync, sql: string, toValue: (row: Row) => Value): Generator<Value[], void> {
  let part: Value[] = [];
  for (const row of database.prepare(sql).iterate()) {
    part.push(toValue(row));
    if (part.length < rowsInPart) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

const toNamespace = (row: Row) => ({
  name: String(row.name),
  labels: texts(row.labels),
  annotations: texts(row.annotations),
});

const toFunctionRow = (row: Row) => ({
  ref: ref(row),
  spec: { json: checkedJson(row.spec), digest: undefined },
  replicas: Number(row.replicas),
  createdAt: String(row.created_at),
  calledAtMs: Number(row.called_at_ms),
});

const toSecretRow = (row: Row) => ({ ref: ref(row), value: row.value as Uint8Array });

const toImage = (row: Row) => ({ ref: ref(row), digest: String(row.digest) });

function* read(database: DatabaseSync): Generator<SnapshotPart, void> {
  for (const namespaces of inParts(database, 'SELECT * FROM namespaces ORDER BY name', toNamespace)) yield { namespaces };
  const ofFunctions = inParts(database, 'SELECT * FROM functions ORDER BY namespace, name', toFunctionRow);
  for (const functions of ofFunctions) yield { functions };
  const ofSecrets = inParts(database, 'SELECT * FROM secrets ORDER BY namespace, name', toSecretRow);
  for (const secrets of ofSecrets) yield { secrets };
  const ofImages = inParts(database, 'SELECT * FROM recent_images ORDER BY id DESC', toImage);
  for (const recentImages of ofImages) yield { recentImages };
}

/** @throws internal, naming the file, when a row is not what was written */
export function* readSnapshot(database: DatabaseSync, file: string): Generator<SnapshotPart, void> {
  try {
    yield* read(database);
  } catch (error) {
    throw new FaasError(
      'internal',
      `${file}: the database is damaged (${(error as Error).message}); put a copy in its place or move it away`,
      { cause: error },
    );
  }
}

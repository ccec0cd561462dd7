// What the database holds, in memory: the side of the store that never waits. Changed by committed commands alone, but
// for the number of replicas, which may run ahead of the disk.
import type { FunctionSpec } from '../../types/function.ts';
import type { FunctionRef } from '../../types/name.ts';
import { formatRef } from '../../types/name.ts';
import type { FunctionNamespace } from '../../types/namespace.ts';
import type { SecretRef } from '../../types/secret.ts';
import type { Command, FunctionRow, SecretRow, SnapshotPart } from './command.ts';
import { recentImagesKept } from './command.ts';
import type { StoredFunction } from './store.ts';

type Entry = {
  readonly ref: FunctionRef;
  stored: StoredFunction;
  /** The number on disk, while a newer one is on its way there. */
  ahead: { readonly durable: number; readonly ticket: number } | undefined;
  /** Newest first. */
  images: readonly string[];
};

export interface Mirror {
  functions(): readonly StoredFunction[];
  function(ref: FunctionRef): StoredFunction | undefined;
  secretNames(namespace: string): readonly SecretRef[];
  secretValue(ref: SecretRef): Buffer | undefined;
  namespaces(): readonly FunctionNamespace[];
  recentImages(ref: FunctionRef): readonly string[];
  /** Takes over what the database holds. */
  load(part: SnapshotPart): void;
  /** Takes a committed command over. */
  apply(command: Command): void;
  /** Shows a number of replicas before it is durable; `undefined` when there is no such function. */
  runAhead(ref: FunctionRef, replicas: number): number | undefined;
  /** Ends the run-ahead of that ticket: its number is durable, or is taken back. A later one stays. */
  settle(ref: FunctionRef, ticket: number, isDurable: boolean): void;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

const parseSpec = (json: string): FunctionSpec => JSON.parse(json) as FunctionSpec;

/** The reference is made of the specification's own texts: those of the row would be kept besides. */
const toEntry = ({ spec: { json }, replicas, createdAt, calledAtMs }: FunctionRow, images: readonly string[]): Entry => {
  const spec = parseSpec(json);
  const ref = { name: spec.service, namespace: spec.namespace };
  return { ref, stored: { spec, replicas, createdAt, calledAtMs }, ahead: undefined, images };
};

const withImage = (images: readonly string[], digest: string | undefined): readonly string[] =>
  digest === undefined ? images : [digest, ...images.filter((other) => other !== digest)].slice(0, recentImagesKept);

const change = (entry: Entry, { spec, replicas, calledAtMs }: Extract<Command, { kind: 'updateFunction' }>): void => {
  const { stored, ahead } = entry;
  if (ahead !== undefined && replicas !== undefined) entry.ahead = { durable: replicas, ticket: ahead.ticket };
  entry.stored = {
    spec: spec === undefined ? stored.spec : parseSpec(spec.json),
    replicas: ahead === undefined ? (replicas ?? stored.replicas) : stored.replicas,
    createdAt: stored.createdAt,
    calledAtMs: calledAtMs ?? stored.calledAtMs,
  };
  entry.images = withImage(entry.images, spec?.digest);
};

const asBuffer = ({ value }: SecretRow): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

type Rows = {
  readonly functions: Map<string, Entry>;
  readonly secrets: Map<string, { readonly ref: SecretRef; readonly value: Buffer }>;
  readonly namespaces: Map<string, FunctionNamespace>;
};

const load = ({ functions, secrets, namespaces }: Rows, part: SnapshotPart): void => {
  for (const namespace of part.namespaces ?? []) namespaces.set(namespace.name, namespace);
  for (const row of part.functions ?? []) functions.set(formatRef(row.ref), toEntry(row, []));
  for (const row of part.secrets ?? []) secrets.set(formatRef(row.ref), { ref: row.ref, value: asBuffer(row) });
  for (const { ref, digest } of part.recentImages ?? []) {
    const entry = functions.get(formatRef(ref));
    if (entry !== undefined) entry.images = entry.images.concat(digest);
  }
};

const removeNamespace = ({ functions, secrets, namespaces }: Rows, name: string): void => {
  namespaces.delete(name);
  for (const [key, entry] of functions) if (entry.ref.namespace === name) functions.delete(key);
  for (const [key, secret] of secrets) if (secret.ref.namespace === name) secrets.delete(key);
};

const apply = (rows: Rows, command: Command): void => {
  switch (command.kind) {
    case 'createFunction':
      rows.functions.set(formatRef(command.row.ref), toEntry(command.row, withImage([], command.row.spec.digest)));
      break;
    case 'updateFunction': {
      const entry = rows.functions.get(formatRef(command.ref));
      if (entry !== undefined) change(entry, command);
      break;
    }
    case 'removeFunction':
      rows.functions.delete(formatRef(command.ref));
      break;
    case 'createSecret':
    case 'updateSecret':
      rows.secrets.set(formatRef(command.row.ref), { ref: command.row.ref, value: asBuffer(command.row) });
      break;
    case 'removeSecret':
      rows.secrets.delete(formatRef(command.ref));
      break;
    case 'createNamespace':
    case 'updateNamespace':
      rows.namespaces.set(command.namespace.name, command.namespace);
      break;
    case 'removeNamespace':
      removeNamespace(rows, command.name);
      break;
  }
};

export const createMirror = (): Mirror => {
  const rows: Rows = { functions: new Map(), secrets: new Map(), namespaces: new Map() };
  const entryOf = (ref: FunctionRef): Entry | undefined => rows.functions.get(formatRef(ref));
  let list: readonly StoredFunction[] | undefined;
  let tickets = 0;

  return {
    functions: () => {
      list ??= Array.from(rows.functions.values(), (entry) => entry.stored);
      return list;
    },
    function: (ref) => entryOf(ref)?.stored,
    secretNames: (namespace) =>
      Array.from(rows.secrets.values(), (secret) => secret.ref)
        .filter((ref) => ref.namespace === namespace)
        .sort(byName),
    secretValue: (ref) => rows.secrets.get(formatRef(ref))?.value,
    namespaces: () => [...rows.namespaces.values()].sort(byName),
    recentImages: (ref) => entryOf(ref)?.images ?? [],
    load: (part) => {
      list = undefined;
      load(rows, part);
    },
    apply: (command) => {
      list = undefined;
      apply(rows, command);
    },
    runAhead: (ref, replicas) => {
      const entry = entryOf(ref);
      if (entry === undefined) return undefined;
      tickets += 1;
      entry.ahead = { durable: entry.ahead?.durable ?? entry.stored.replicas, ticket: tickets };
      entry.stored = { ...entry.stored, replicas };
      list = undefined;
      return tickets;
    },
    settle: (ref, ticket, isDurable) => {
      const entry = entryOf(ref);
      if (entry?.ahead?.ticket !== ticket) return;
      if (!isDurable) entry.stored = { ...entry.stored, replicas: entry.ahead.durable };
      entry.ahead = undefined;
      list = undefined;
    },
  };
};

// Makes the store: locks the data directory, opens the database in its thread and joins it with the mirror.
import { join } from 'node:path';
import { parseBundleImage } from '../../types/bundle.ts';
import { FaasError } from '../../types/errors.ts';
import type { FunctionSpec } from '../../types/function.ts';
import type { FunctionRef } from '../../types/name.ts';
import { formatRef } from '../../types/name.ts';
import type { FunctionNamespace } from '../../types/namespace.ts';
import type { Secret } from '../../types/secret.ts';
import type { Command, SecretRow, SpecRow } from './command.ts';
import type { DatabaseThread } from './database-thread.ts';
import { startDatabaseThread } from './database-thread.ts';
import type { DirectoryLock } from './lock.ts';
import { lockDirectory, lockFile } from './lock.ts';
import type { Mirror } from './mirror.ts';
import { createMirror } from './mirror.ts';
import { ensurePrivateDirectory } from './private-files.ts';
import { migrations } from './schema.ts';
import type { Committed, Store, StoreOptions } from './store.ts';

const databaseFile = 'sluice.db';

const toRef = ({ service, namespace }: FunctionSpec): FunctionRef => ({ name: service, namespace });

const toSpecRow = (spec: FunctionSpec): SpecRow => ({ json: JSON.stringify(spec), digest: parseBundleImage(spec.image)?.digest });

/** A copy, because the caller may reuse the bytes before they are written. */
const toSecretRow = ({ name, namespace, value }: Secret): SecretRow => ({
  ref: { name, namespace },
  value: Uint8Array.from(value),
});

/** What we keep of it, and nothing that the caller may still change. */
const toNamespace = ({ name, labels, annotations }: FunctionNamespace): FunctionNamespace => ({
  name,
  labels: { ...labels },
  annotations: { ...annotations },
});

const checkSameName = (ref: FunctionRef, spec: FunctionSpec): void => {
  const got = toRef(spec);
  if (got.name === ref.name && got.namespace === ref.namespace) return;
  throw new FaasError('invalid', `service: expected ${formatRef(ref)}, got ${formatRef(got)}`);
};

const createStore = (lock: DirectoryLock, thread: DatabaseThread, mirror: Mirror): Store => {
  let closing: Promise<void> | undefined;

  const write = (command: Command, committed?: Committed): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        mirror.apply(command);
        committed?.();
        resolve();
      };
      thread.write(command, done, reject);
    });

  const setReplicas = (ref: FunctionRef, replicas: number): Promise<void> => {
    const ticket = mirror.runAhead(ref, replicas);
    const command: Command = { kind: 'updateFunction', ref, replicas };
    return new Promise((resolve, reject) => {
      const settle = (isDurable: boolean): void => {
        if (ticket !== undefined) mirror.settle(ref, ticket, isDurable);
      };
      const committed = (): void => {
        mirror.apply(command);
        settle(true);
        resolve();
      };
      const failed = (error: FaasError): void => {
        settle(false);
        reject(error);
      };
      thread.write(command, committed, failed);
    });
  };

  return {
    functions: mirror.functions,
    function: mirror.function,
    createFunction: async ({ spec, replicas, createdAt, calledAtMs }, committed) => {
      const row = { ref: toRef(spec), spec: toSpecRow(spec), replicas, createdAt, calledAtMs };
      await write({ kind: 'createFunction', row }, committed);
    },
    updateFunction: async (ref, { spec, replicas, calledAtMs }, committed) => {
      if (spec !== undefined) checkSameName(ref, spec);
      await write({ kind: 'updateFunction', ref, spec: spec && toSpecRow(spec), replicas, calledAtMs }, committed);
    },
    setReplicas,
    removeFunction: (ref, committed) => write({ kind: 'removeFunction', ref }, committed),
    secretNames: mirror.secretNames,
    secretValue: mirror.secretValue,
    createSecret: async (secret) => write({ kind: 'createSecret', row: toSecretRow(secret) }),
    updateSecret: async (secret) => write({ kind: 'updateSecret', row: toSecretRow(secret) }),
    removeSecret: (ref) => write({ kind: 'removeSecret', ref }),
    namespaces: mirror.namespaces,
    createNamespace: (namespace) => write({ kind: 'createNamespace', namespace: toNamespace(namespace) }),
    updateNamespace: (namespace) => write({ kind: 'updateNamespace', namespace: toNamespace(namespace) }),
    removeNamespace: (name, committed) => write({ kind: 'removeNamespace', name }, committed),
    recentImages: mirror.recentImages,
    healthy: thread.isAlive,
    close: () => {
      closing ??= thread.close().then(lock.release);
      return closing;
    },
  };
};

/** @throws conflict, naming the holder, when another gateway uses the directory; internal, naming the file, when it cannot be used */
export const openStore = async ({ dataDir, defaultNamespace, log, holder }: StoreOptions): Promise<Store> => {
  ensurePrivateDirectory(dataDir, lockFile);
  const lock = lockDirectory(dataDir, holder);
  try {
    const mirror = createMirror();
    const file = join(dataDir, databaseFile);
    const thread = await startDatabaseThread({ file, defaultNamespace, migrations }, mirror.load, log);
    return createStore(lock, thread, mirror);
  } catch (error) {
    lock.release();
    throw error;
  }
};

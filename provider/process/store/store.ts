// The durable state of the embedded provider: specifications, secrets and namespaces. Reads come from a mirror in memory
// and never wait; writes resolve once they are on disk. `openStore` in open-store.ts makes one.
import type { FunctionSpec } from '../../types/function.ts';
import type { FunctionRef } from '../../types/name.ts';
import type { FunctionNamespace } from '../../types/namespace.ts';
import type { Secret, SecretRef } from '../../types/secret.ts';
import type { Log } from '../log.ts';

export type StoredFunction = {
  readonly spec: FunctionSpec;
  /** Desired replicas. */
  readonly replicas: number;
  /** RFC 3339 */
  readonly createdAt: string;
  /** The last call that is known of, in ms since 1970; 0 is never. */
  readonly calledAtMs: number;
};

export type FunctionChange = Partial<Pick<StoredFunction, 'spec' | 'replicas' | 'calledAtMs'>>;

/**
 * Called once the change is durable and shows, before any later change does: what has to follow the rows one by one belongs
 * there, as several writes may be told at once and their promises resolve after all of them show. Must not throw.
 */
export type Committed = () => void;

/**
 * Every promise resolves when the change is durable, and reads show the change from then on; `setReplicas` alone shows at
 * once, and takes its number back should the write fail. Writes take effect in the order in which they were asked for.
 * A write rejects with internal when the disk fails, and with unavailable after `close`.
 */
export interface Store {
  functions(): readonly StoredFunction[];
  function(ref: FunctionRef): StoredFunction | undefined;
  /** @throws conflict when it exists; invalid when its namespace does not */
  createFunction(stored: StoredFunction, committed?: Committed): Promise<void>;
  /** @throws not-found; invalid when the new specification has another name or namespace */
  updateFunction(ref: FunctionRef, change: FunctionChange, committed?: Committed): Promise<void>;
  /** @throws not-found */
  setReplicas(ref: FunctionRef, replicas: number): Promise<void>;
  /** @throws not-found */
  removeFunction(ref: FunctionRef, committed?: Committed): Promise<void>;
  /** Sorted by name. */
  secretNames(namespace: string): readonly SecretRef[];
  /** The value as it is kept: not to be written to. */
  secretValue(ref: SecretRef): Buffer | undefined;
  /** @throws conflict when it exists; invalid when its namespace does not */
  createSecret(secret: Secret): Promise<void>;
  /** @throws not-found */
  updateSecret(secret: Secret): Promise<void>;
  /** @throws not-found */
  removeSecret(ref: SecretRef): Promise<void>;
  /** Sorted by name; the default namespace is always there. */
  namespaces(): readonly FunctionNamespace[];
  /** @throws conflict when it exists */
  createNamespace(namespace: FunctionNamespace): Promise<void>;
  /** @throws not-found */
  updateNamespace(namespace: FunctionNamespace): Promise<void>;
  /** Removes its functions and secrets with it, all or nothing. @throws not-found; invalid for the default one */
  removeNamespace(name: string, committed?: Committed): Promise<void>;
  /** Digests of the last ten bundles that the function used, the newest first; empty once it is removed. */
  recentImages(ref: FunctionRef): readonly string[];
  /** False once the database thread has died; every write is refused then. */
  healthy(): boolean;
  /** Finishes the writes under way and gives the data directory free. */
  close(): Promise<void>;
}

export type StoreOptions = {
  /** Made when it is not there, mode 0700. */
  readonly dataDir: string;
  readonly defaultNamespace: string;
  readonly log: Log;
  /** What a second gateway is told about this one, such as `pid 12 http://127.0.0.1:8080`. */
  readonly holder: string;
};

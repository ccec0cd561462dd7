// What an orchestrator must be able to do for the gateway, and what it tells the gateway about functions.
// Every provider passes test/conformance/provider.ts.
import type { FunctionSpec, FunctionStatus } from './types/function.ts';
import type { ProviderInfo } from './types/info.ts';
import type { LogMessage, LogQuery } from './types/logs.ts';
import type { FunctionRef } from './types/name.ts';
import type { FunctionNamespace } from './types/namespace.ts';
import type { Secret, SecretRef } from './types/secret.ts';

export type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** When a replica had come how far, on the clock of `performance.now()`. What a provider cannot tell is left out. */
export type StartTimes = {
  /** Its start began: it waits for no other start any more, and the order is with the orchestrator. */
  readonly begunMs?: number | undefined;
  /** There was a process or a machine for it. */
  readonly placedMs?: number | undefined;
  /** Its watchdog or its container ran. */
  readonly bootedMs?: number | undefined;
};

/** One replica that answers calls. */
export type Endpoint = {
  /** Unique over the life of the gateway; the `instance` of its log lines. */
  readonly id: string;
  /** Digest of the specification and code it runs. */
  readonly revision: string;
  readonly address: Address;
  readonly start?: StartTimes | undefined;
};

/** Why a function has no replica that answers, as far as the provider knows. */
export type FunctionFailure = {
  /** CamelCase word: LoadFailed, CrashLoop, Exited, NeverReady, OOMKilled, ImagePullFailed, Unschedulable, … */
  readonly reason: string;
  /** One line for people, last output of the function included where it helps. */
  readonly message: string;
  /** When the provider tries again by itself, in ms since 1970. */
  readonly retryAtMs?: number | undefined;
};

export type FunctionReport = {
  readonly ref: FunctionRef;
  /** Digest of the specification and code that calls should reach once an endpoint of it is ready. */
  readonly revision: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Desired replicas. */
  readonly replicas: number;
  /** Set while no replica answers and waiting for one is pointless; callers are answered with it at once. */
  readonly failure?: FunctionFailure | undefined;
  /** Set from `doze` to what ends it: replicas answer, but a gateway scales the function before it lets a call reach one. */
  readonly dozing?: boolean | undefined;
};

/**
 * What the gateway wants to be told. Calls come in order: a function before its endpoints, its endpoints gone before it
 * is removed. On `watch` the provider first reports all it has, then calls `synced`.
 */
export interface ProviderObserver {
  functionChanged(report: FunctionReport): void;
  functionRemoved(ref: FunctionRef): void;
  endpointReady(ref: FunctionRef, endpoint: Endpoint): void;
  /**
   * The endpoint gets no new call from now on. Resolves when the calls it has are finished, so that a provider that
   * stops replicas itself can wait for it (with a limit of its own).
   */
  endpointGone(ref: FunctionRef, endpointId: string): Promise<void>;
  synced(): void;
}

export interface Secrets {
  list(namespace: string): Promise<SecretRef[]>;
  /** @throws conflict when it exists */
  create(secret: Secret): Promise<void>;
  /** @throws not-found */
  update(secret: Secret): Promise<void>;
  /** @throws not-found */
  remove(ref: SecretRef): Promise<void>;
}

export interface Namespaces {
  /** The default namespace included. */
  list(): Promise<string[]>;
  /** @throws not-found */
  get(name: string): Promise<FunctionNamespace>;
  /** @throws conflict when it exists */
  create(namespace: FunctionNamespace): Promise<void>;
  /** @throws not-found */
  update(namespace: FunctionNamespace): Promise<void>;
  /** Removes its functions and secrets with it, as Kubernetes does. @throws not-found; invalid for the default one */
  remove(name: string): Promise<void>;
}

export interface Bundles {
  has(digest: string): Promise<boolean>;
  /**
   * Stores a bundle: complete and durable when it resolves, no trace of it when it rejects.
   * @throws invalid when the bytes have another digest, are no tar, would leave their directory, or hold no valid sluice.json;
   *   too-large over the limit
   */
  put(digest: string, body: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface Provider {
  /** Durable when it resolves. @throws conflict when the function exists; invalid for what this provider cannot run, such as a secret, namespace or bundle that is not there */
  deploy(spec: FunctionSpec): Promise<void>;
  /** Durable when it resolves. Replicas stay as they are unless the labels have a minimum, to which they are set. @throws not-found; invalid as deploy */
  update(spec: FunctionSpec): Promise<void>;
  /** Resolves when the function is gone from lists and gets no calls; its running calls may still finish. @throws not-found */
  remove(ref: FunctionRef): Promise<void>;
  /** Begins at once and resolves when the number is durable. Ends a doze. @throws not-found */
  scale(ref: FunctionRef, replicas: number): Promise<void>;
  /**
   * The first of two steps to zero: all gateways are told that the function dozes, so that none sends a call to a replica
   * that is about to go. Resolves with the mark of this doze when they have had the time to hear of it; ended by `scale`,
   * `update` and `sleep`, and replaced by the next `doze`. @throws not-found
   */
  doze(ref: FunctionRef): Promise<string>;
  /** The second step: to zero, when the function still dozes under this mark; false when it does not. @throws not-found */
  sleep(ref: FunctionRef, mark: string): Promise<boolean>;
  /** @throws invalid for an unknown namespace */
  list(namespace: string): Promise<FunctionStatus[]>;
  get(ref: FunctionRef, options?: { readonly usage?: boolean }): Promise<FunctionStatus | undefined>;
  readonly secrets: Secrets;
  readonly namespaces: Namespaces;
  /** Only where functions are deployed as bundles. */
  readonly bundles?: Bundles;
  /** Ends by itself unless the query follows. The caller stops it by ending the iteration or by the signal. @throws not-found */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogMessage>;
  info(): Promise<ProviderInfo>;
  /** False while the provider cannot do its work; shown by /healthz. */
  healthy(): boolean;
  /** How long ago what is reported was last known to be true, in ms, where that can be said; 0 while it is. Calls go on meanwhile. */
  staleMs?(): number;
  /** Idle functions are worth stopping: each running replica costs memory on this machine (see `--park-idle`). */
  readonly parksIdle: boolean;
  watch(observer: ProviderObserver): void;
  close(): Promise<void>;
}

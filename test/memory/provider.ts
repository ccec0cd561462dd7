// A provider that keeps everything in memory and runs functions as HTTP servers of the test's own process. For tests of what
// stands on a provider; it passes test/conformance/provider.ts.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Address, Endpoint, FunctionFailure, Namespaces, Provider, ProviderObserver } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import type { FunctionSpec } from '../../provider/types/function.ts';
import { defaultNamespace, type FunctionRef, formatRef } from '../../provider/types/name.ts';
import type { FunctionNamespace } from '../../provider/types/namespace.ts';
import { toScaleSpec } from '../../provider/types/scale.ts';
import { createMemoryBundles } from './bundles.ts';
import { createFunctionState, type MemoryFunctionState } from './function.ts';
import { type MemoryFunction, memoryFunctions } from './functions.ts';
import { createGate, type Operation } from './gate.ts';
import { createMemorySecrets } from './secrets.ts';

export type MemoryProviderOptions = {
  /** Functions by the part of the image before `:` or `@`; `memoryFunctions` where there is none; otherwise `echo`. */
  readonly functions?: Readonly<Record<string, MemoryFunction>>;
  /** Replicas that the test runs itself: nothing is started for the specifications it returns an address for. */
  readonly address?: (spec: FunctionSpec) => Address | undefined;
  /** Why an image cannot be run. */
  readonly refuse?: (image: string) => string | undefined;
  /** Awaited before each start of a replica. */
  readonly beforeStart?: (ref: FunctionRef) => Promise<void>;
  /** Awaited before a doze counts as heard of. */
  readonly notice?: (ref: FunctionRef) => Promise<void>;
  /** Replicas listen on unix sockets in this directory instead of ports. */
  readonly socketDir?: string;
  readonly defaultNamespace?: string;
  readonly parksIdle?: boolean;
  /** False leaves `bundles` out. */
  readonly bundles?: boolean;
  readonly maxBundleBytes?: number;
  readonly now?: () => number;
};

export type MemoryProvider = Provider & {
  /** The next call of that operation is rejected with the error. */
  failNext(operation: Operation, error: Error): void;
  /** How often each operation was asked for. */
  count(operation: Operation): number;
  setHealthy(healthy: boolean): void;
  /** Reports a failure, or its end, as a provider that found one would. */
  setFailure(ref: FunctionRef, failure: FunctionFailure | undefined): void;
  endpoints(ref: FunctionRef): Endpoint[];
  /** One replica dies at once, its connections cut. */
  crash(ref: FunctionRef, endpointId: string): void;
};

const notFound = (what: string): FaasError => new FaasError('not-found', `${what}: not found`);

/** Everything of a specification that a replica can see. */
const revisionOf = (spec: FunctionSpec): string =>
  createHash('sha256')
    .update(JSON.stringify({ ...spec, labels: undefined }))
    .digest('hex')
    .slice(0, 16);

export const createMemoryProvider = (options: MemoryProviderOptions = {}): MemoryProvider => {
  const home = options.defaultNamespace ?? defaultNamespace;
  const gate = createGate();
  const observers = new Set<ProviderObserver>();
  const functions = new Map<string, MemoryFunctionState>();
  const specs = new Map<string, FunctionSpec>();
  const secretValues = new Map<string, Map<string, Buffer>>([[home, new Map()]]);
  const spaces = new Map<string, FunctionNamespace>([[home, { name: home, labels: {}, annotations: {} }]]);
  const draining = new Set<Promise<void>>();
  let replicaCount = 0;
  let dozes = 0;
  let healthy = true;

  const known = (ref: FunctionRef): MemoryFunctionState => {
    const found = functions.get(formatRef(ref));
    if (found === undefined) throw notFound(`function ${formatRef(ref)}`);
    return found;
  };

  const check = (spec: FunctionSpec): void => {
    const secrets = secretValues.get(spec.namespace);
    if (secrets === undefined) throw new FaasError('invalid', `namespace: expected an existing one, got "${spec.namespace}"`);
    const missing = (spec.secrets ?? []).filter((name) => !secrets.has(name));
    if (missing.length > 0) throw new FaasError('invalid', `secrets: ${missing.join(', ')} not found in ${spec.namespace}`);
    const refusal = options.refuse?.(spec.image);
    if (refusal !== undefined) throw new FaasError('invalid', refusal);
  };

  const parts = {
    observers: () => observers,
    code: (spec: FunctionSpec) => {
      const name = spec.image.split(/[:@]/)[0] ?? '';
      return options.functions?.[name] ?? memoryFunctions[name] ?? memoryFunctions.echo!;
    },
    address: (spec: FunctionSpec) => options.address?.(spec),
    secret: (ref: FunctionRef, name: string) => secretValues.get(ref.namespace)?.get(name),
    beforeStart: async (ref: FunctionRef) => options.beforeStart?.(ref),
    nextReplica: () => {
      replicaCount += 1;
      const id = `replica-${replicaCount}`;
      return { id, socketPath: options.socketDir === undefined ? undefined : join(options.socketDir, id) };
    },
    now: options.now ?? Date.now,
  };

  const drop = (state: MemoryFunctionState): void => {
    const key = formatRef(state.ref);
    functions.delete(key);
    specs.delete(key);
    const drained = state.stop().finally(() => draining.delete(drained));
    draining.add(drained);
    for (const observer of observers) observer.functionRemoved(state.ref);
  };

  const namespaces: Namespaces = {
    async list() {
      gate.pass('namespaces.list');
      return [...spaces.keys()].sort();
    },
    async get(name) {
      gate.pass('namespaces.get');
      const found = spaces.get(name);
      if (found === undefined) throw notFound(`namespace ${name}`);
      return found;
    },
    async create(namespace) {
      gate.pass('namespaces.create');
      if (spaces.has(namespace.name)) throw new FaasError('conflict', `namespace ${namespace.name}: exists already`);
      spaces.set(namespace.name, namespace);
      secretValues.set(namespace.name, new Map());
    },
    async update(namespace) {
      gate.pass('namespaces.update');
      if (!spaces.has(namespace.name)) throw notFound(`namespace ${namespace.name}`);
      spaces.set(namespace.name, namespace);
    },
    async remove(name) {
      gate.pass('namespaces.remove');
      if (name === home) throw new FaasError('invalid', `namespace ${name}: the default one stays`);
      if (!spaces.delete(name)) throw notFound(`namespace ${name}`);
      secretValues.delete(name);
      for (const state of [...functions.values()]) if (state.ref.namespace === name) drop(state);
    },
  };

  const bundles = createMemoryBundles(options.maxBundleBytes ?? 16 * 1024 * 1024);

  return {
    async deploy(spec) {
      gate.pass('deploy');
      check(spec);
      const ref = { name: spec.service, namespace: spec.namespace };
      const key = formatRef(ref);
      if (functions.has(key)) throw new FaasError('conflict', `function ${key}: exists already`);
      const first = { spec, revision: revisionOf(spec), replicas: toScaleSpec(spec.labels).min };
      const state = createFunctionState(ref, first, parts);
      functions.set(key, state);
      specs.set(key, spec);
      state.apply(spec, first.revision, first.replicas);
    },
    async update(spec) {
      gate.pass('update');
      const ref = { name: spec.service, namespace: spec.namespace };
      const state = known(ref);
      check(spec);
      const scale = toScaleSpec(spec.labels);
      specs.set(formatRef(ref), spec);
      state.apply(spec, revisionOf(spec), scale.hasMin ? scale.min : state.report().replicas);
    },
    async remove(ref) {
      gate.pass('remove');
      drop(known(ref));
    },
    async scale(ref, replicas) {
      gate.pass('scale');
      const spec = specs.get(formatRef(ref));
      const state = known(ref);
      if (spec !== undefined) state.apply(spec, revisionOf(spec), replicas);
    },
    async doze(ref) {
      gate.pass('doze');
      dozes += 1;
      const mark = String(dozes);
      known(ref).doze(mark);
      await options.notice?.(ref);
      return mark;
    },
    async sleep(ref, mark) {
      gate.pass('sleep');
      const spec = specs.get(formatRef(ref));
      const state = known(ref);
      if (spec === undefined || state.dozing() !== mark) return false;
      state.apply(spec, revisionOf(spec), 0);
      return true;
    },
    async list(namespace) {
      gate.pass('list');
      if (!spaces.has(namespace)) throw new FaasError('invalid', `namespace: expected an existing one, got "${namespace}"`);
      const inside = [...functions.values()].filter((state) => state.ref.namespace === namespace);
      return inside.map((state) => state.status());
    },
    async get(ref, wishes) {
      gate.pass('get');
      const status = functions.get(formatRef(ref))?.status();
      return status !== undefined && wishes?.usage === true ? { ...status, usage: { cpu: 0, totalMemoryBytes: 0 } } : status;
    },
    secrets: createMemorySecrets(secretValues, gate),
    namespaces,
    ...(options.bundles === false
      ? {}
      : {
          bundles: {
            has: async (digest: string) => {
              gate.pass('bundles.has');
              return bundles.has(digest);
            },
            put: async (digest: string, body: AsyncIterable<Uint8Array>) => {
              gate.pass('bundles.put');
              await bundles.put(digest, body);
            },
          },
        }),
    async *logs(query, signal) {
      gate.pass('logs');
      yield* known(query).logs.read(query, signal);
    },
    async info() {
      gate.pass('info');
      return {
        provider: 'memory',
        orchestration: 'none',
        version: { release: 'test', sha: 'test' },
        capabilities: { packaging: 'bundle', limits: 'not enforced', isolation: 'none' },
      };
    },
    healthy: () => healthy,
    parksIdle: options.parksIdle ?? false,
    watch(observer) {
      for (const state of functions.values()) {
        observer.functionChanged(state.report());
        for (const endpoint of state.endpoints()) observer.endpointReady(state.ref, endpoint);
      }
      observers.add(observer);
      observer.synced();
    },
    async close() {
      await Promise.all([...functions.values()].map((state) => state.stop()));
      await Promise.all(draining);
      observers.clear();
    },
    failNext: gate.failNext,
    count: gate.count,
    setHealthy: (next) => {
      healthy = next;
    },
    setFailure: (ref, failure) => known(ref).setFailure(failure),
    endpoints: (ref) => known(ref).endpoints(),
    crash: (ref, endpointId) => known(ref).crash(endpointId),
  };
};

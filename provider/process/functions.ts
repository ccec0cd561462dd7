// The functions of this gateway: commands change the store first, then the supervisor that runs the function.
import type { Provider } from '../provider.ts';
import { requireBundleImage } from '../types/bundle.ts';
import { FaasError } from '../types/errors.ts';
import type { FunctionSpec } from '../types/function.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import { toScaleSpec } from '../types/scale.ts';
import type { BundleStore } from './bundles/bundles.ts';
import type { Owner } from './launcher.ts';
import type { LogRing } from './log-ring.ts';
import { type Plan, toPlan } from './plan.ts';
import { createChains, createGate } from './queues.ts';
import type { Store } from './store/store.ts';
import { createSupervisor, type Supervisor, type SupervisorParts } from './supervisor.ts';
import { createUsageMeter } from './usage.ts';

export interface Functions extends Pick<Provider, 'deploy' | 'update' | 'remove' | 'scale' | 'doze' | 'sleep' | 'list' | 'get'> {
  supervisors(): Iterable<Supervisor>;
  supervisor(ref: FunctionRef): Supervisor | undefined;
  /** Brings back what the store has: called ones first, all of them in the background. */
  restore(): void;
  /** Drops the functions of a namespace at the moment when its rows go. */
  dropNamespace(name: string): void;
  /** Ends all replicas once their calls are finished. */
  close(): Promise<void>;
}

export type FunctionsParts = {
  readonly store: Store;
  readonly bundles: BundleStore;
  /** The user of a namespace, where functions have users of their own. */
  readonly ownerOf: (namespace: string) => Promise<Owner | undefined>;
  readonly supervision: Omit<SupervisorParts, 'prepare' | 'logs'>;
  readonly createLogs: () => LogRing;
  readonly now: () => number;
};

const restoredAtOnce = 8;

const unknown = (ref: FunctionRef): FaasError =>
  new FaasError('not-found', `function ${JSON.stringify(ref.name)} does not exist in namespace ${JSON.stringify(ref.namespace)}`);

const refOf = (spec: FunctionSpec): FunctionRef => ({ name: spec.service, namespace: spec.namespace });

export const createFunctions = (parts: FunctionsParts): Functions => {
  const { store, bundles, now } = parts;
  const table = new Map<string, Supervisor>();
  const chain = createChains();
  const gate = createGate(restoredAtOnce);
  const leaving = new Set<Promise<void>>();
  const meter = createUsageMeter({ running: () => [...table.values()].flatMap((each) => each.replicas()), now });
  let closed = false;
  /** Namespaces dropped so far. */
  let drops = 0;
  let dozes = 0;

  const open = (): void => {
    if (closed) throw new FaasError('unavailable', 'the gateway is shutting down');
  };

  const prepare = async (spec: FunctionSpec): Promise<Plan> => {
    const { digest } = requireBundleImage(spec.image);
    const config = await bundles.config(digest);
    const owner = await parts.ownerOf(spec.namespace);
    const root = await bundles.unpacked(digest, owner === undefined ? undefined : { ...owner, area: spec.namespace });
    return toPlan({ spec, config, root, owner });
  };

  const namespaceExists = (name: string): boolean => store.namespaces().some((namespace) => namespace.name === name);

  const checkNamespace = (name: string): void => {
    if (!namespaceExists(name)) {
      throw new FaasError('invalid', `namespace: expected a namespace that exists, got ${JSON.stringify(name)}`);
    }
  };

  const checkSecrets = (spec: FunctionSpec): void => {
    const missing = (spec.secrets ?? []).filter((name) => store.secretValue({ name, namespace: spec.namespace }) === undefined);
    if (missing.length === 0) return;
    const names = missing.map((name) => JSON.stringify(name)).join(', ');
    throw new FaasError(
      'invalid',
      `secrets: expected secrets that exist in namespace ${JSON.stringify(spec.namespace)}, got ${names}`,
    );
  };

  const add = (start: Parameters<typeof createSupervisor>[1], urgent: boolean): void => {
    const supervisor = createSupervisor(
      { ...parts.supervision, logs: parts.createLogs(), prepare: (spec) => gate(() => prepare(spec)) },
      start,
    );
    table.set(formatRef(supervisor.ref), supervisor);
    supervisor.begin(urgent);
  };

  const drop = (supervisor: Supervisor): void => {
    table.delete(formatRef(supervisor.ref));
    const done = supervisor.remove().finally(() => leaving.delete(done));
    leaving.add(done);
  };

  const find = (ref: FunctionRef): Supervisor => {
    const supervisor = table.get(formatRef(ref));
    if (supervisor === undefined) throw unknown(ref);
    return supervisor;
  };

  const deploy = async (spec: FunctionSpec): Promise<void> => {
    open();
    requireBundleImage(spec.image);
    checkNamespace(spec.namespace);
    checkSecrets(spec);
    if (store.function(refOf(spec)) !== undefined) {
      throw new FaasError(
        'conflict',
        `function ${JSON.stringify(spec.service)} exists in namespace ${JSON.stringify(spec.namespace)}`,
      );
    }
    const era = drops;
    const plan = await prepare(spec);
    open();
    const stored = { spec, replicas: toScaleSpec(spec.labels).min, createdAt: new Date(now()).toISOString(), calledAtMs: 0 };
    // What was stored as the gateway closed comes with its next start.
    // Where a namespace was removed meanwhile, and made anew, its copy of the bundle may be gone with the old one.
    const committed = (): void => {
      if (!closed) add({ ...stored, plan: drops === era ? plan : undefined }, true);
    };
    try {
      await store.createFunction(stored, committed);
    } catch (error) {
      // The namespace may have been removed since the bundle was copied for it.
      if (!namespaceExists(spec.namespace)) await bundles.removeArea(spec.namespace).catch(() => undefined);
      throw error;
    }
  };

  const update = async (spec: FunctionSpec): Promise<void> => {
    open();
    find(refOf(spec));
    requireBundleImage(spec.image);
    checkSecrets(spec);
    const plan = await prepare(spec);
    open();
    const scale = toScaleSpec(spec.labels);
    const replicas = scale.hasMin ? scale.min : undefined;
    await store.updateFunction(refOf(spec), replicas === undefined ? { spec } : { spec, replicas }, () =>
      table.get(formatRef(refOf(spec)))?.update(spec, plan, replicas),
    );
  };

  const remove = async (ref: FunctionRef): Promise<void> => {
    open();
    find(ref);
    await store.removeFunction(ref, () => {
      const supervisor = table.get(formatRef(ref));
      if (supervisor !== undefined) drop(supervisor);
    });
  };

  const scale = async (ref: FunctionRef, replicas: number): Promise<void> => {
    open();
    const supervisor = find(ref);
    const wakes = replicas > 0 && supervisor.report().replicas === 0;
    supervisor.scale(replicas);
    const durable = store.setReplicas(ref, replicas);
    if (wakes) store.updateFunction(ref, { calledAtMs: now() }).catch(() => undefined);
    await durable;
  };

  return {
    deploy: (spec) => chain(formatRef(refOf(spec)), () => deploy(spec)),
    update: (spec) => chain(formatRef(refOf(spec)), () => update(spec)),
    remove: (ref) => chain(formatRef(ref), () => remove(ref)),
    scale,
    // The only gateway there is has heard of it when this returns.
    doze: async (ref) => {
      open();
      dozes += 1;
      const mark = String(dozes);
      find(ref).doze(mark);
      return mark;
    },
    sleep: async (ref, mark) => {
      open();
      if (find(ref).dozing() !== mark) return false;
      await scale(ref, 0);
      return true;
    },
    list: async (namespace) => {
      checkNamespace(namespace);
      return [...table.values()].filter((each) => each.ref.namespace === namespace).map((each) => each.status());
    },
    get: async (ref, options) => {
      const supervisor = table.get(formatRef(ref));
      if (supervisor === undefined || options?.usage !== true) return supervisor?.status();
      return supervisor.status(await meter.measure(supervisor.replicas()));
    },
    supervisors: () => table.values(),
    supervisor: (ref) => table.get(formatRef(ref)),
    restore: () => {
      const stored = [...store.functions()].sort((a, b) => b.calledAtMs - a.calledAtMs);
      for (const { spec, createdAt, replicas } of stored) add({ spec, createdAt, replicas, plan: undefined }, false);
    },
    dropNamespace: (name) => {
      drops += 1;
      for (const supervisor of [...table.values()]) if (supervisor.ref.namespace === name) drop(supervisor);
    },
    close: async () => {
      closed = true;
      meter.close();
      await Promise.all([...[...table.values()].map((supervisor) => supervisor.close()), ...leaving]);
    },
  };
};

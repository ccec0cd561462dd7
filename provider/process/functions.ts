// The functions of this gateway: commands change the store first, then the supervisor that runs the function.
import type { Provider } from '../provider.ts';
import { requireBundleImage } from '../types/bundle.ts';
import { FaasError } from '../types/errors.ts';
import type { FunctionSpec, FunctionStatus } from '../types/function.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import { toScaleSpec } from '../types/scale.ts';
import type { BundleStore } from './bundles/bundles.ts';
import { createSupervisor } from './create-supervisor.ts';
import type { Owner } from './launcher.ts';
import { type Plan, toPlan } from './plan.ts';
import { createChains, createGate } from './queues.ts';
import type { Store } from './store/store.ts';
import type { Supervisor, SupervisorParts, SupervisorStart } from './supervisor.ts';
import { createUsageMeter, type UsageMeter } from './usage.ts';

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
  readonly supervision: Omit<SupervisorParts, 'prepare'>;
  readonly now: () => number;
};

/** Functions whose bundles are looked at at a time after a restart. */
const restoredAtOnce = 8;

const unknown = (ref: FunctionRef): FaasError =>
  new FaasError('not-found', `function ${JSON.stringify(ref.name)} does not exist in namespace ${JSON.stringify(ref.namespace)}`);

const exists = ({ service, namespace }: FunctionSpec): FaasError =>
  new FaasError('conflict', `function ${JSON.stringify(service)} exists in namespace ${JSON.stringify(namespace)}`);

const refOf = (spec: FunctionSpec): FunctionRef => ({ name: spec.service, namespace: spec.namespace });

class ProcessFunctions implements Functions {
  readonly #parts: FunctionsParts;
  readonly #supervision: SupervisorParts;
  readonly #meter: UsageMeter;
  readonly #table = new Map<string, Supervisor>();
  /** Commands of one function wait for each other. */
  readonly #chain = createChains();
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;
  /** Namespaces dropped so far. */
  #drops = 0;
  #dozes = 0;

  constructor(parts: FunctionsParts) {
    this.#parts = parts;
    const gate = createGate(restoredAtOnce);
    this.#supervision = { ...parts.supervision, prepare: (spec) => gate(() => this.#prepare(spec)) };
    const running = () => [...this.#table.values()].flatMap((each) => each.replicas());
    this.#meter = createUsageMeter({ running, now: parts.now });
  }

  deploy(spec: FunctionSpec): Promise<void> {
    return this.#chain(formatRef(refOf(spec)), () => this.#deploy(spec));
  }

  update(spec: FunctionSpec): Promise<void> {
    return this.#chain(formatRef(refOf(spec)), () => this.#update(spec));
  }

  remove(ref: FunctionRef): Promise<void> {
    return this.#chain(formatRef(ref), () => this.#remove(ref));
  }

  async scale(ref: FunctionRef, replicas: number): Promise<void> {
    this.#checkOpen();
    const { store, now } = this.#parts;
    const supervisor = this.#find(ref);
    const wakes = replicas > 0 && supervisor.report().replicas === 0;
    supervisor.scale(replicas);
    const durable = store.setReplicas(ref, replicas);
    if (wakes) store.updateFunction(ref, { calledAtMs: now() }).catch(() => undefined);
    await durable;
  }

  // The only gateway there is has heard of it when this returns.
  async doze(ref: FunctionRef): Promise<string> {
    this.#checkOpen();
    this.#dozes += 1;
    const mark = String(this.#dozes);
    this.#find(ref).doze(mark);
    return mark;
  }

  async sleep(ref: FunctionRef, mark: string): Promise<boolean> {
    this.#checkOpen();
    if (this.#find(ref).dozing() !== mark) return false;
    await this.scale(ref, 0);
    return true;
  }

  async list(namespace: string): Promise<FunctionStatus[]> {
    this.#checkNamespace(namespace);
    return [...this.#table.values()].filter((each) => each.ref.namespace === namespace).map((each) => each.status());
  }

  async get(ref: FunctionRef, options?: { readonly usage?: boolean }): Promise<FunctionStatus | undefined> {
    const supervisor = this.supervisor(ref);
    if (supervisor === undefined || options?.usage !== true) return supervisor?.status();
    return supervisor.status(await this.#meter.measure(supervisor.replicas()));
  }

  supervisors(): Iterable<Supervisor> {
    return this.#table.values();
  }

  supervisor(ref: FunctionRef): Supervisor | undefined {
    return this.#table.get(formatRef(ref));
  }

  restore(): void {
    const stored = [...this.#parts.store.functions()].sort((a, b) => b.calledAtMs - a.calledAtMs);
    for (const { spec, createdAt, replicas } of stored) this.#add({ spec, createdAt, replicas, plan: undefined }, false);
    const restored = this.#table.values();
    for (let lane = 0; lane < restoredAtOnce; lane += 1) void this.#prepareAll(restored);
  }

  dropNamespace(name: string): void {
    this.#drops += 1;
    for (const supervisor of [...this.#table.values()]) if (supervisor.ref.namespace === name) this.#drop(supervisor);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#meter.close();
    await Promise.all([...[...this.#table.values()].map((supervisor) => supervisor.close()), ...this.#leaving]);
  }

  async #deploy(spec: FunctionSpec): Promise<void> {
    this.#checkOpen();
    const { store, bundles, now } = this.#parts;
    requireBundleImage(spec.image);
    this.#checkNamespace(spec.namespace);
    this.#checkSecrets(spec);
    if (store.function(refOf(spec)) !== undefined) throw exists(spec);
    const era = this.#drops;
    const plan = await this.#prepare(spec);
    this.#checkOpen();
    const createdAt = new Date(now()).toISOString();
    const { min: replicas } = toScaleSpec(spec.labels);
    const committed = (): void => {
      // What was stored as the gateway closed comes with its next start.
      if (this.#closed) return;
      const kept = this.#kept(spec);
      // Where a namespace was removed meanwhile, and made anew, its copy of the bundle may be gone with the old one.
      const settled = this.#drops === era ? { ...plan, spec: kept } : undefined;
      this.#add({ spec: kept, replicas, createdAt, plan: settled }, true);
    };
    try {
      await store.createFunction({ spec, replicas, createdAt, calledAtMs: 0 }, committed);
    } catch (error) {
      // The namespace may have been removed since the bundle was copied for it.
      if (!this.#namespaceExists(spec.namespace)) await bundles.removeArea(spec.namespace).catch(() => undefined);
      throw error;
    }
  }

  async #update(spec: FunctionSpec): Promise<void> {
    this.#checkOpen();
    const ref = refOf(spec);
    this.#find(ref);
    requireBundleImage(spec.image);
    this.#checkSecrets(spec);
    const plan = await this.#prepare(spec);
    this.#checkOpen();
    const scale = toScaleSpec(spec.labels);
    const replicas = scale.hasMin ? scale.min : undefined;
    const committed = (): void => {
      const kept = this.#kept(spec);
      this.supervisor(ref)?.update(kept, { ...plan, spec: kept }, replicas);
    };
    await this.#parts.store.updateFunction(ref, replicas === undefined ? { spec } : { spec, replicas }, committed);
  }

  async #remove(ref: FunctionRef): Promise<void> {
    this.#checkOpen();
    this.#find(ref);
    await this.#parts.store.removeFunction(ref, () => {
      const supervisor = this.supervisor(ref);
      if (supervisor !== undefined) this.#drop(supervisor);
    });
  }

  /** The store's copy of a specification that it has just taken: one is enough. */
  #kept(spec: FunctionSpec): FunctionSpec {
    return this.#parts.store.function(refOf(spec))?.spec ?? spec;
  }

  async #prepare(spec: FunctionSpec): Promise<Plan> {
    const { bundles, ownerOf } = this.#parts;
    const { digest } = requireBundleImage(spec.image);
    const config = await bundles.config(digest);
    const owner = await ownerOf(spec.namespace);
    const root = await bundles.unpacked(digest, owner === undefined ? undefined : { ...owner, area: spec.namespace });
    return toPlan({ spec, config, root, owner });
  }

  /** So that no caller has to wait for the disk; one after another, as thousands at once would be thousands of promises. */
  async #prepareAll(supervisors: Iterable<Supervisor>): Promise<void> {
    for (const supervisor of supervisors) {
      if (this.#closed) return;
      await supervisor.prepare();
    }
  }

  #add(start: SupervisorStart, urgent: boolean): void {
    const supervisor = createSupervisor(this.#supervision, start);
    this.#table.set(formatRef(supervisor.ref), supervisor);
    supervisor.begin(urgent);
  }

  #drop(supervisor: Supervisor): void {
    this.#table.delete(formatRef(supervisor.ref));
    const done = supervisor.remove().finally(() => this.#leaving.delete(done));
    this.#leaving.add(done);
  }

  #find(ref: FunctionRef): Supervisor {
    const supervisor = this.supervisor(ref);
    if (supervisor === undefined) throw unknown(ref);
    return supervisor;
  }

  #checkOpen(): void {
    if (this.#closed) throw new FaasError('unavailable', 'the gateway is shutting down');
  }

  #namespaceExists(name: string): boolean {
    return this.#parts.store.namespaces().some((namespace) => namespace.name === name);
  }

  #checkNamespace(name: string): void {
    if (this.#namespaceExists(name)) return;
    throw new FaasError('invalid', `namespace: expected a namespace that exists, got ${JSON.stringify(name)}`);
  }

  #checkSecrets({ secrets = [], namespace }: FunctionSpec): void {
    const missing = secrets.filter((name) => this.#parts.store.secretValue({ name, namespace }) === undefined);
    if (missing.length === 0) return;
    const names = missing.map((name) => JSON.stringify(name)).join(', ');
    throw new FaasError(
      'invalid',
      `secrets: expected secrets that exist in namespace ${JSON.stringify(namespace)}, got ${names}`,
    );
  }
}

export const createFunctions = (parts: FunctionsParts): Functions => new ProcessFunctions(parts);

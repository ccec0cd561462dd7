// All that starting a replica of a function needs, settled beforehand: a start reads no disk.
import type { BundleConfig } from '../types/bundle.ts';
import { parseDuration } from '../types/duration.ts';
import type { FunctionSpec } from '../types/function.ts';
import { parseQuantity } from '../types/quantity.ts';
import type { Specialization } from '../types/specialize.ts';
import { bootVariables, heapLimitMiB, toEnvironment } from './environment.ts';
import type { Boot, Owner } from './launcher.ts';
import type { Caps } from './limits/limits.ts';
import { revisionOf } from './revision.ts';

export type Plan = {
  readonly revision: string;
  readonly spec: FunctionSpec;
  readonly config: BundleConfig;
  /** Directory of the unpacked bundle. */
  readonly root: string;
  readonly caps: Caps;
  /** How long it may take to answer once it is told what to run; the provider's own limit when it says nothing. */
  readonly readyTimeoutMs?: number | undefined;
  /** User of its namespace, where functions have users of their own. */
  readonly owner?: Owner | undefined;
  /** Present when a blank watchdog from the pool will not do. */
  readonly boot?: Boot | undefined;
};

const amount = (text: string | undefined): number | undefined => {
  const value = text === undefined || text === '' ? undefined : parseQuantity(text);
  return value === undefined || value <= 0 ? undefined : value;
};

const noCaps: Caps = { memoryBytes: undefined, cpuCores: undefined };

const toCaps = ({ limits }: FunctionSpec): Caps =>
  limits === undefined ? noCaps : { memoryBytes: amount(limits.memory), cpuCores: amount(limits.cpu) };

export type PlanSource = {
  readonly spec: FunctionSpec;
  readonly config: BundleConfig;
  readonly root: string;
  readonly owner?: Owner | undefined;
};

export const toPlan = ({ spec, config, root, owner }: PlanSource): Plan => {
  const caps = toCaps(spec);
  // Only a function that runs inside the watchdog's own process depends on how that was started.
  const inside = config.mode === 'inproc';
  const environment = toEnvironment(spec, config, { temporary: '', basePath: '', marker: '' });
  const variables = inside ? bootVariables(environment) : {};
  const flags = inside && caps.memoryBytes !== undefined ? [`--max-old-space-size=${heapLimitMiB(caps.memoryBytes)}`] : [];
  const cold = flags.length > 0 || Object.keys(variables).length > 0;
  return {
    revision: revisionOf(spec),
    spec,
    config,
    root,
    caps,
    readyTimeoutMs: parseDuration(environment.ready_timeout ?? '') || undefined,
    owner,
    boot: cold ? { nodeFlags: flags, environment: variables, owner } : undefined,
  };
};

export type Site = {
  readonly temporary: string;
  readonly secretsPath: string | undefined;
  readonly marker: string;
  readonly basePath: string;
  readonly defaultTimeoutMs: number | undefined;
};

/** What the blank watchdog is told; it becomes the owner itself unless it booted as the owner. */
export const toSpecialization = (plan: Plan, site: Site): Specialization => {
  const { spec, config, owner } = plan;
  return {
    name: spec.service,
    namespace: spec.namespace,
    root: plan.root,
    mode: config.mode,
    handler: config.handler,
    environment: toEnvironment(spec, config, site),
    ...(owner === undefined || plan.boot !== undefined ? {} : { uid: owner.uid, gid: owner.gid }),
  };
};

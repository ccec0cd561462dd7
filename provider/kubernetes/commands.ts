// Deploy, update, remove and scale: what is asked of the API server, in which order, and what is undone when a step fails.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Provider } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { FunctionSpec } from '../types/function.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import { type KubeApi, mergePatch, paths } from './api.ts';
import { createChains } from './chains.ts';
import { type DeploymentParts, toDeployment, updateDeployment } from './deployment.ts';
import { markDozing, putToSleep, scalePatch } from './doze.ts';
import { isNotFound, isOvertaken, isPassing, isTaken, toFaasError } from './errors.ts';
import { checkLabels } from './labels.ts';
import type { Deployment, Service } from './objects.ts';
import type { Log, PodSettings } from './options.ts';
import { checkImage, functionLabel } from './pod.ts';
import { readProfiles } from './profiles.ts';
import { useSecrets } from './secrets.ts';
import { servesFunction, toService, updateService } from './service.ts';

export type CommandsParts = {
  readonly api: KubeApi;
  readonly settings: PodSettings;
  readonly profilesNamespace: string;
  readonly checkNamespace: (name: string) => Promise<void>;
  readonly isOpen: (namespace: string) => boolean;
  readonly isKnown: (ref: FunctionRef) => boolean;
  /** Told of what was written before the watch tells it. */
  readonly wrote: (deployment: Deployment) => void;
  readonly dropped: (ref: FunctionRef, uid: string | undefined) => void;
  readonly log: Log;
};

export type Commands = Pick<Provider, 'deploy' | 'update' | 'remove' | 'scale' | 'doze' | 'sleep'> & {
  /** @throws unavailable and the like, not for a function that is not there */
  find(ref: FunctionRef): Promise<Deployment | undefined>;
};

/** Somebody else may write at the same time, but not for ever. */
const attempts = 6;

const named = ({ name, namespace }: FunctionRef): string =>
  `function ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)}`;

const refOf = (spec: FunctionSpec): FunctionRef => ({ name: spec.service, namespace: spec.namespace });

const unknown = (ref: FunctionRef): FaasError =>
  new FaasError('not-found', `function ${JSON.stringify(ref.name)} does not exist in namespace ${JSON.stringify(ref.namespace)}`);

const isFunction = ({ metadata }: Deployment): boolean =>
  metadata.labels?.[functionLabel] !== undefined && metadata.deletionTimestamp === undefined;

/** Reads, changes and writes again for as long as others write in between. */
const retrying = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isOvertaken(error) || attempt === attempts) throw error;
    }
  }
};

/** As long, and as often, as OpenFaaS's gateway tries to wake a function. */
const patienceMs = 2000;
const againMs = 100;

/** For what may be done twice: callers wait for a replica, whom a moment without the API server must not send away. */
const patiently = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || performance.now() + againMs > deadline) throw error;
    }
    await sleepFor(againMs);
  }
};

const find = async ({ api }: CommandsParts, ref: FunctionRef): Promise<Deployment | undefined> => {
  try {
    const deployment = await api.call<Deployment>('GET', paths.deployments(ref.namespace, ref.name));
    return isFunction(deployment) ? deployment : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toFaasError(error, named(ref));
  }
};

const get = async (parts: CommandsParts, ref: FunctionRef): Promise<Deployment> => {
  const deployment = parts.isOpen(ref.namespace) ? await find(parts, ref) : undefined;
  if (deployment === undefined) throw unknown(ref);
  return deployment;
};

const prepare = async (parts: CommandsParts, spec: FunctionSpec): Promise<DeploymentParts> => {
  const { api, settings } = parts;
  checkImage(spec.image);
  checkLabels(spec.labels);
  const [secrets, profiles] = await Promise.all([
    useSecrets(api, spec),
    readProfiles(api, parts.profilesNamespace, spec.annotations),
  ]);
  return { spec, secrets, settings, profiles, nonce: randomBytes(5).toString('hex') };
};

/** Makes the Service, or takes over one that serves the function already. */
const putService = async ({ api }: CommandsParts, spec: FunctionSpec): Promise<void> => {
  const { service: name, namespace } = spec;
  try {
    await api.call('POST', paths.services(namespace), { body: toService(spec) });
    return;
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  await retrying(async () => {
    const before = await api.call<Service>('GET', paths.services(namespace, name));
    if (!servesFunction(before, name)) {
      const text = `a service ${JSON.stringify(name)} that is no function's exists in namespace ${JSON.stringify(namespace)}`;
      throw new FaasError('conflict', text);
    }
    await api.call('PUT', paths.services(namespace, name), { body: updateService(before, spec) });
  });
};

const deleteDeployment = ({ api }: CommandsParts, ref: FunctionRef, uid: string | undefined): Promise<unknown> =>
  api.call('DELETE', paths.deployments(ref.namespace, ref.name), {
    // In the background: the name is free at once, and the pods end in their own time.
    body: { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) },
  });

const deploy = async (parts: CommandsParts, spec: FunctionSpec): Promise<void> => {
  const ref = refOf(spec);
  await parts.checkNamespace(spec.namespace);
  const body = toDeployment(await prepare(parts, spec));
  let created: Deployment;
  try {
    created = await parts.api.call<Deployment>('POST', paths.deployments(spec.namespace), { body });
  } catch (error) {
    if (isTaken(error)) throw new FaasError('conflict', `${named(ref)} exists`, { cause: error });
    throw toFaasError(error, named(ref));
  }
  try {
    await putService(parts, spec);
  } catch (error) {
    await deleteDeployment(parts, ref, created.metadata.uid).then(
      () => parts.dropped(ref, created.metadata.uid),
      (cause) => parts.log.error({ fn: formatRef(ref), err: cause }, 'a half-made deployment could not be taken back'),
    );
    throw toFaasError(error, `the service of ${named(ref)}`);
  }
  parts.wrote(created);
};

const update = async (parts: CommandsParts, spec: FunctionSpec): Promise<void> => {
  const ref = refOf(spec);
  await get(parts, ref);
  const prepared = await prepare(parts, spec);
  try {
    const written = await retrying(async () => {
      const body = updateDeployment(await get(parts, ref), prepared);
      return parts.api.call<Deployment>('PUT', paths.deployments(ref.namespace, ref.name), { body });
    });
    parts.wrote(written);
    await putService(parts, spec);
  } catch (error) {
    if (isNotFound(error)) throw unknown(ref);
    throw toFaasError(error, named(ref));
  }
};

/** What was taken away, for one who wants to put it back; `undefined` when there is none, or one that is not the function's. */
const removeService = async ({ api }: CommandsParts, ref: FunctionRef): Promise<Service | undefined> => {
  const path = paths.services(ref.namespace, ref.name);
  try {
    const service = await api.call<Service>('GET', path);
    if (!servesFunction(service, ref.name)) return undefined;
    await api.call('DELETE', path, { body: { preconditions: { uid: service.metadata.uid } } });
    return service;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toFaasError(error, `the service of ${named(ref)}`);
  }
};

const restoreService = async ({ api, log }: CommandsParts, { metadata, spec }: Service): Promise<void> => {
  const { name, namespace, labels, annotations } = metadata;
  const { type, selector, ports } = spec;
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels, annotations },
    spec: { type, selector, ports },
  };
  await api
    .call('POST', paths.services(namespace), { body })
    .catch((cause) => log.error({ fn: name, err: cause }, 'the service of a function that stays could not be put back'));
};

/** The Service goes first: once the Deployment is gone the name is free, and a Service of it may be the next one's. */
const remove = async (parts: CommandsParts, ref: FunctionRef): Promise<void> => {
  const { metadata } = await get(parts, ref);
  const service = await removeService(parts, ref);
  try {
    await deleteDeployment(parts, ref, metadata.uid);
  } catch (error) {
    if (isNotFound(error)) throw unknown(ref);
    if (service !== undefined) await restoreService(parts, service);
    throw toFaasError(error, named(ref));
  }
  parts.dropped(ref, metadata.uid);
};

/** A patch of a function's Deployment. */
const patch = async <Result>(parts: CommandsParts, ref: FunctionRef, write: () => Promise<Result>): Promise<Result> => {
  // What is known needs no question first: waking a function is one request.
  if (!parts.isKnown(ref)) await get(parts, ref);
  try {
    return await write();
  } catch (error) {
    if (isNotFound(error)) throw unknown(ref);
    throw toFaasError(error, named(ref));
  }
};

const scale = (parts: CommandsParts, ref: FunctionRef, replicas: number): Promise<void> =>
  patch(parts, ref, async () => {
    const options = { body: scalePatch(replicas), contentType: mergePatch };
    const path = paths.deployments(ref.namespace, ref.name);
    parts.wrote(await patiently(() => parts.api.call<Deployment>('PATCH', path, options)));
  });

export const createCommands = (parts: CommandsParts): Commands => {
  const chain = createChains();
  return {
    find: (ref) => find(parts, ref),
    deploy: (spec) => chain(formatRef(refOf(spec)), () => deploy(parts, spec)),
    update: (spec) => chain(formatRef(refOf(spec)), () => update(parts, spec)),
    remove: (ref) => chain(formatRef(ref), () => remove(parts, ref)),
    scale: (ref, replicas) => chain(formatRef(ref), () => scale(parts, ref, replicas)),
    // Not in the chain: whoever wakes the function meanwhile must not wait for it to doze.
    doze: (ref) => patch(parts, ref, () => markDozing(parts.api, ref, parts.wrote)),
    sleep: (ref, mark) => chain(formatRef(ref), () => patch(parts, ref, () => putToSleep(parts.api, ref, mark, parts.wrote))),
  };
};

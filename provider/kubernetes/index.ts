// Functions as Deployments and Services of a Kubernetes cluster, as faas-netes has them. This file is the provider's parts list.
import type { Provider } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import { type KubeApi, paths } from './api.ts';
import { type Cluster, createKubeApi, findCluster } from './client.ts';
import { createCommands } from './commands.ts';
import { toFaasError } from './errors.ts';
import { Functions } from './functions.ts';
import { createHub } from './hub.ts';
import { createInformer, type Informer } from './informer.ts';
import { readLogs } from './logs.ts';
import { createNamespaces } from './namespaces.ts';
import type { Deployment, KubeObject, Namespace, Pod } from './objects.ts';
import { createOpenNamespaces } from './open-namespaces.ts';
import { type KubernetesProviderOptions, type Settings, toSettings } from './options.ts';
import { functionLabel } from './pod.ts';
import { trimPod } from './pod-facts.ts';
import { probe } from './probe.ts';
import { createSecrets } from './secrets.ts';
import { readUsage } from './usage.ts';

export type { KubernetesProviderOptions } from './options.ts';

/** The server's version, asked for a while: a gateway may start before its network does. */
const readVersion = async (api: KubeApi, server: string, settings: Settings): Promise<string> => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      return (await api.call<{ gitVersion: string }>('GET', paths.version, { timeoutMs: 5000 })).gitVersion;
    } catch (error) {
      const failure = toFaasError(error, `Kubernetes at ${server}`);
      if (failure.code !== 'unavailable' || performance.now() > deadline) throw failure;
      settings.log.warn({ server, err: error }, 'Kubernetes does not answer yet');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

/** May we see the whole cluster, or only the default namespace? */
const maySeeCluster = async (api: KubeApi): Promise<boolean> => {
  const ask = async (group: string, resource: string): Promise<boolean> => {
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'list', group, resource } },
    };
    const { status } = await api.call<{ status?: { allowed?: boolean } }>('POST', paths.accessReviews, { body });
    return status?.allowed === true;
  };
  const answers = await Promise.all([ask('apps', 'deployments'), ask('', 'pods'), ask('', 'namespaces')]);
  return answers.every((yes) => yes);
};

const trimObject = <Item extends KubeObject>(item: Item): Item => {
  const { managedFields: _, ...metadata } = item.metadata as Item['metadata'] & { managedFields?: unknown };
  return { ...item, metadata };
};

/** Calls those that want to know about pods of a function. */
const createPodListeners = () => {
  const listeners = new Map<string, Set<() => void>>();
  return {
    tell: (ref: FunctionRef): void => {
      for (const listener of listeners.get(formatRef(ref)) ?? []) listener();
    },
    add: (ref: FunctionRef, listener: () => void): (() => void) => {
      const key = formatRef(ref);
      const set = listeners.get(key) ?? new Set();
      listeners.set(key, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(key);
      };
    },
  };
};

/** Resolves once the cluster's functions are known. @throws invalid or unavailable when there is no cluster to work with */
export const createKubernetesProvider = async (options: KubernetesProviderOptions): Promise<Provider> => {
  const settings = toSettings(options);
  const cluster = await findCluster(options);
  const api = createKubeApi(cluster, settings.now);
  try {
    return await assemble(settings, cluster, api);
  } catch (error) {
    await api.close();
    throw error;
  }
};

const assemble = async (settings: Settings, cluster: Cluster, api: KubeApi): Promise<Provider> => {
  const { log, now, defaultNamespace } = settings;
  const version = await readVersion(api, cluster.server, settings);
  const wholeCluster = await maySeeCluster(api);
  log.info({ server: cluster.server, version, inside: cluster.inside, wholeCluster }, 'found Kubernetes');

  const hub = createHub(log);
  const listeners = createPodListeners();
  const open = createOpenNamespaces({ api, defaultNamespace, wholeCluster, onChange: () => functions.reconsider() });
  const functions: Functions = new Functions({
    hub,
    probe,
    routeTo: (_pod, address) => ({ host: address, port: 8080 }),
    now,
    isOpen: open.has,
    onPod: listeners.tell,
  });
  const scope = wholeCluster ? undefined : defaultNamespace;
  const query = { labelSelector: functionLabel };
  const common = { api, log, now };
  const informers: Informer[] = [
    createInformer<Deployment>({
      ...common,
      what: 'deployments',
      path: paths.deployments(scope),
      query,
      trim: trimObject,
      follower: functions.deployments,
    }),
    createInformer<Pod>({ ...common, what: 'pods', path: paths.pods(scope), query, trim: trimPod, follower: functions.pods }),
  ];
  if (wholeCluster) {
    const { follower } = open;
    informers.push(
      createInformer<Namespace>({
        ...common,
        what: 'namespaces',
        path: paths.namespaces(),
        query: {},
        trim: trimObject,
        follower,
      }),
    );
  }
  await Promise.all(informers.map((informer) => informer.synced));

  const commands = createCommands({
    api,
    settings: settings.pods,
    profilesNamespace: settings.profilesNamespace,
    checkNamespace: open.check,
    isOpen: open.has,
    isKnown: (ref) => functions.get(ref) !== undefined,
    wrote: (deployment) => functions.wrote(trimObject(deployment)),
    dropped: (ref, uid) => functions.dropped(ref, uid),
    log,
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.all(informers.map((informer) => informer.close()));
    functions.close();
    await api.close();
  };

  const get: Provider['get'] = async (ref, { usage = false } = {}) => {
    const known = functions.get(ref);
    if (known === undefined) {
      if (!open.has(ref.namespace)) await open.check(ref.namespace).catch(ignoreInvalid);
      const found = open.has(ref.namespace) ? await commands.find(ref) : undefined;
      if (found === undefined) return undefined;
      functions.wrote(trimObject(found));
    }
    const state = functions.get(ref);
    const status = state?.status();
    if (status === undefined || !usage) return status;
    return { ...status, usage: await readUsage(api, ref, [...(state?.pods() ?? [])]) };
  };

  return {
    deploy: commands.deploy,
    update: commands.update,
    remove: commands.remove,
    scale: commands.scale,
    async list(namespace) {
      await open.check(namespace);
      return functions
        .in(namespace)
        .map((state) => state.status())
        .filter((status) => status !== undefined);
    },
    get,
    secrets: createSecrets(api, open.check),
    namespaces: createNamespaces({ api, open, defaultNamespace, wholeCluster }),
    async *logs(logQuery, signal) {
      const ref = { name: logQuery.name, namespace: logQuery.namespace };
      if ((await get(ref)) === undefined) {
        throw new FaasError(
          'not-found',
          `function ${JSON.stringify(ref.name)} does not exist in namespace ${JSON.stringify(ref.namespace)}`,
        );
      }
      const onPods = (listener: () => void): (() => void) => listeners.add(ref, listener);
      yield* readLogs({ api, pods: () => functions.podsOf(ref), onPods, now }, logQuery, signal);
    },
    info: async () => ({
      provider: 'sluice-kubernetes',
      orchestration: 'kubernetes',
      version: settings.version,
      capabilities: {
        packaging: 'image',
        limits: `Kubernetes ${version} enforces them`,
        isolation: 'every replica is a pod of its own',
      },
    }),
    healthy: () => closed === undefined,
    parksIdle: false,
    watch: (observer) =>
      hub.watch(
        observer,
        [...functions.present()].flatMap((state) =>
          state.report === undefined ? [] : [{ report: state.report, endpoints: state.endpoints() }],
        ),
      ),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
};

/** A namespace without functions has no function of any name. */
const ignoreInvalid = (error: unknown): void => {
  if (!(error instanceof FaasError) || error.code !== 'invalid') throw error;
};

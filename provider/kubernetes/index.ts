// Functions as Deployments and Services of a Kubernetes cluster, as faas-netes has them. This file is the provider's parts list.
import type { Provider } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { FunctionRef } from '../types/name.ts';
import { type KubeApi, paths } from './api.ts';
import { type Cluster, createKubeApi, findCluster } from './client.ts';
import { type ClusterView, openClusterView, trimObject } from './cluster-view.ts';
import { type Commands, createCommands } from './commands.ts';
import { toFaasError } from './errors.ts';
import { createHub, type Hub } from './hub.ts';
import { readLogs } from './logs.ts';
import { createNamespaces } from './namespaces.ts';
import { type KubernetesProviderOptions, type Settings, toSettings } from './options.ts';
import { probe } from './probe.ts';
import { createReach } from './reach.ts';
import { createSecrets } from './secrets.ts';
import { readUsage } from './usage.ts';
import { readWarning, withWarning } from './warnings.ts';

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

/** A namespace without functions has no function of any name. */
const ignoreInvalid = (error: unknown): void => {
  if (!(error instanceof FaasError) || error.code !== 'invalid') throw error;
};

const createGet =
  (api: KubeApi, { functions, open }: ClusterView, commands: Commands): Provider['get'] =>
  async (ref, { usage = false } = {}) => {
    if (functions.get(ref) === undefined) {
      await open.check(ref.namespace).catch(ignoreInvalid);
      const found = open.has(ref.namespace) ? await commands.find(ref) : undefined;
      if (found === undefined) return undefined;
      functions.wrote(trimObject(found));
    }
    const state = functions.get(ref);
    const status = state?.status();
    if (status === undefined || !usage) return status;
    const pods = [...(state?.pods() ?? [])];
    const [used, warning] = await Promise.all([
      readUsage(api, ref, pods),
      readWarning(api, ref.namespace, state?.silentPods() ?? []),
    ]);
    return { ...status, usage: used, conditions: withWarning(status.conditions ?? [], warning) };
  };

const createLogs = (api: KubeApi, view: ClusterView, get: Provider['get'], closing: AbortSignal, now: () => number) =>
  async function* logs(query: Parameters<Provider['logs']>[0], signal: AbortSignal): ReturnType<typeof readLogs> {
    const ref: FunctionRef = { name: query.name, namespace: query.namespace };
    if ((await get(ref)) === undefined) {
      const text = `function ${JSON.stringify(ref.name)} does not exist in namespace ${JSON.stringify(ref.namespace)}`;
      throw new FaasError('not-found', text);
    }
    const pods = () => view.functions.podsOf(ref);
    const onPods = (listener: () => void): (() => void) => view.onPods(ref, listener);
    yield* readLogs({ api, pods, onPods, now }, query, AbortSignal.any([signal, closing]));
  };

const createWatch =
  (hub: Hub, { functions }: ClusterView): Provider['watch'] =>
  (observer) => {
    const present = [...functions.present()].flatMap((state) =>
      state.report === undefined ? [] : [{ report: state.report, endpoints: state.endpoints() }],
    );
    hub.watch(observer, present);
  };

const assemble = async (settings: Settings, cluster: Cluster, api: KubeApi): Promise<Provider> => {
  const { log, now, defaultNamespace } = settings;
  const version = await readVersion(api, cluster.server, settings);
  const wholeCluster = await maySeeCluster(api);
  log.info({ server: cluster.server, version, inside: cluster.inside, wholeCluster }, 'found Kubernetes');
  const hub = createHub(log);
  const reach = createReach({ mode: settings.reach, inside: cluster.inside, config: cluster.config, probe, log });
  const view = await openClusterView({ api, hub, settings, wholeCluster, reach });
  const { functions, open } = view;
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
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await view.close();
    await api.close();
  };
  const get = createGet(api, view, commands);
  return {
    deploy: commands.deploy,
    update: commands.update,
    remove: commands.remove,
    scale: commands.scale,
    doze: commands.doze,
    sleep: commands.sleep,
    async list(namespace) {
      await open.check(namespace);
      const all = functions.in(namespace).map((state) => state.status());
      return all.filter((status) => status !== undefined);
    },
    get,
    secrets: createSecrets(api, open.check),
    namespaces: createNamespaces({ api, open, defaultNamespace, wholeCluster }),
    logs: createLogs(api, view, get, closing.signal, now),
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
    staleMs: view.staleMs,
    parksIdle: false,
    watch: createWatch(hub, view),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
};

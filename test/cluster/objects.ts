// What the cluster itself says about the pods of a function: the second opinion beside the gateway's.
import { eventually } from '../helpers/eventually.ts';
import type { Cluster } from './cluster.ts';

export const functionNamespace = 'openfaas-fn';

export type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly lastTransitionTime: string }[];
    readonly containerStatuses?: readonly { readonly state?: { readonly terminated?: object } }[];
  };
};

export const getJson = async <T>(cluster: Cluster, ...args: readonly string[]): Promise<T> =>
  JSON.parse(await cluster.kubectl(['get', '-o', 'json', ...args]));

/** Pods of the function, those that are being deleted included. */
export const podsOf = async (cluster: Cluster, name: string, namespace = functionNamespace): Promise<readonly Pod[]> =>
  (await getJson<{ items: Pod[] }>(cluster, 'pods', '-n', namespace, '-l', `faas_function=${name}`)).items;

const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/**
 * Deleted, and its container has ended. The object stays for up to a minute longer, until the kubelet has tidied up, which
 * says nothing about the function.
 */
export const hasEnded = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (status.containerStatuses ?? []).every(({ state }) => state?.terminated !== undefined);

/** Resolves when exactly so many pods of the function run, those that are ending included, and all of them are ready. */
export const podsReady = (cluster: Cluster, name: string, count: number, timeoutMs = 90_000): Promise<readonly Pod[]> =>
  eventually(
    async () => {
      const pods = (await podsOf(cluster, name)).filter((pod) => !hasEnded(pod));
      return pods.length === count && pods.every(isReady) ? pods : undefined;
    },
    { what: `${count} ready pods of ${name}, and no other`, timeoutMs, intervalMs: 200 },
  );

/** Resolves when none of these pods runs any more: the cluster does not know their uid, or they have ended. */
export const podsEnded = (cluster: Cluster, name: string, pods: readonly Pod[], timeoutMs = 90_000): Promise<unknown> =>
  eventually(
    async () => {
      const left = (await podsOf(cluster, name)).filter((pod) => !hasEnded(pod)).map(({ metadata }) => metadata.uid);
      return pods.every(({ metadata }) => !left.includes(metadata.uid));
    },
    { what: `${pods.map((pod) => pod.metadata.name).join(', ')} have ended`, timeoutMs, intervalMs: 200 },
  );

/** Removes the objects of pods that have ended, for those who wait for that and not for the end. */
export const forgetPods = (cluster: Cluster, pods: readonly Pod[], namespace = functionNamespace): Promise<string> => {
  const names = pods.map(({ metadata }) => metadata.name);
  return cluster.kubectl(['delete', 'pod', '-n', namespace, ...names, '--grace-period=0', '--force', '--ignore-not-found']);
};

// In this order: what makes pods goes before them, so that none is made anew.
const kinds = 'deployments,replicasets,services,pods,poddisruptionbudgets,resourcequotas,limitranges';
// Not waiting for the drain of pods.
const atOnce = ['--all', '--grace-period=0', '--force', '--wait=false'];
const notOurSecrets = ['--field-selector', 'type!=kubernetes.io/service-account-token'];

type Namespaces = {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> } }[];
};

/** Made by tests beside the namespace of functions. Others belong to somebody else, also those that are open to functions. */
const madeByTests = 'dev';

/** Everything a test may have left in the function namespaces, gone when it resolves. Pods are not waited for. */
export const emptyFunctionNamespaces = async (cluster: Cluster): Promise<void> => {
  const { items } = await getJson<Namespaces>(cluster, 'namespaces');
  const names = items.map(({ metadata }) => metadata.name);
  const open = items.filter(({ metadata }) => metadata.annotations?.openfaas !== undefined).map(({ metadata }) => metadata.name);
  if (!names.includes(functionNamespace)) await cluster.kubectl(['create', 'namespace', functionNamespace]);
  if (!open.includes(functionNamespace)) await cluster.kubectl(['annotate', 'namespace', functionNamespace, 'openfaas=1']);
  const others = names.filter((name) => name === madeByTests);
  await Promise.all([
    cluster.kubectl(['delete', '-n', functionNamespace, 'secrets', ...notOurSecrets]),
    ...[functionNamespace, ...others].map((name) => cluster.kubectl(['delete', '-n', name, kinds, ...atOnce])),
  ]);
  if (others.length > 0) await cluster.kubectl(['delete', 'namespace', ...others]);
};

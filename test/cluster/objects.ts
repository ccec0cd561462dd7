// What the cluster itself says about the pods of a function: the second opinion beside the gateway's.
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Cluster, Found } from './cluster.ts';

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

/** Uids of pods with a container that runs, as the node finds them. */
const runningOn = async (cluster: Cluster, node: string): Promise<readonly string[]> => {
  type Running = { items: { metadata: { uid: string }; spec: { containers?: object[] | null } }[] | null };
  const { items } = JSON.parse(await cluster.kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/runningpods/`])) as Running;
  return (items ?? []).filter(({ spec }) => (spec.containers ?? []).length > 0).map(({ metadata }) => metadata.uid);
};

/**
 * Those that have not been deleted, or whose container has not ended yet. Of one that has ended the object stays for a while,
 * and its status may say that it runs for up to a minute and a half, which is when the kubelet looks at it again. So the node
 * itself is asked.
 */
export const stillThere = async (cluster: Cluster, pods: readonly Pod[]): Promise<readonly Pod[]> => {
  const isDeleted = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
  const isOver = ({ status }: Pod): boolean =>
    (status.containerStatuses ?? []).every(({ state }) => state?.terminated !== undefined);
  const unsure = pods.filter((pod) => isDeleted(pod) && !isOver(pod));
  const nodes = [...new Set(unsure.map(({ spec }) => spec.nodeName).filter((node) => node !== undefined))];
  const running = new Set((await Promise.all(nodes.map((node) => runningOn(cluster, node)))).flat());
  return pods.filter((pod) => !isDeleted(pod) || (!isOver(pod) && running.has(pod.metadata.uid)));
};

/** Resolves when exactly so many pods of the function run, those that are ending included, and all of them are ready. */
export const podsReady = (cluster: Cluster, name: string, count: number, timeoutMs = 90_000): Promise<readonly Pod[]> =>
  eventually(
    async () => {
      const pods = await stillThere(cluster, await podsOf(cluster, name));
      return pods.length === count && pods.every(isReady) ? pods : undefined;
    },
    { what: `${count} ready pods of ${name}, and no other`, timeoutMs, intervalMs: 200 },
  );

/** Resolves when none of these pods runs any more: the cluster does not know their uid, or they have ended. */
export const podsEnded = (cluster: Cluster, name: string, pods: readonly Pod[], timeoutMs = 90_000): Promise<unknown> =>
  eventually(
    async () => {
      const left = (await stillThere(cluster, await podsOf(cluster, name))).map(({ metadata }) => metadata.uid);
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

/** The cluster, its function namespaces empty now and again when the test is over. */
export const emptyCluster = async (t: Cleanup, found: Found): Promise<Cluster> => {
  if ('missing' in found) throw new Error(found.missing);
  const { cluster } = found;
  await emptyFunctionNamespaces(cluster);
  onEnd(t, () => emptyFunctionNamespaces(cluster));
  return cluster;
};

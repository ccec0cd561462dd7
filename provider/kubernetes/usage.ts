// What a function's pods use at the moment: from the metrics API where it is served, otherwise from the nodes where we may ask
// them. Neither has to be there.

import type { FunctionStatus } from '../types/function.ts';
import type { FunctionRef } from '../types/name.ts';
import { parseQuantity } from '../types/quantity.ts';
import { type KubeApi, paths } from './api.ts';
import type { KubeList, KubeObject, Pod } from './objects.ts';
import { functionLabel } from './pod.ts';

type Usage = NonNullable<FunctionStatus['usage']>;

type PodMetrics = KubeObject & {
  readonly containers?: readonly { readonly usage?: { readonly cpu?: string; readonly memory?: string } }[];
};

type NodeSummary = {
  readonly pods?: readonly {
    readonly podRef: { readonly uid: string };
    readonly cpu?: { readonly usageNanoCores?: number };
    readonly memory?: { readonly workingSetBytes?: number };
  }[];
};

const rounded = (cpu: number, memory: number): Usage => ({ cpu: Math.round(cpu * 1000), totalMemoryBytes: Math.round(memory) });

const fromMetrics = async (api: KubeApi, ref: FunctionRef, pods: readonly Pod[]): Promise<Usage | undefined> => {
  const query = { labelSelector: `${functionLabel}=${ref.name}` };
  const { items } = await api.call<KubeList<PodMetrics>>('GET', paths.podMetrics(ref.namespace), { query, timeoutMs: 5000 });
  // Of pods that have just begun there is nothing yet, which is not the same as no usage.
  if (pods.length > 0 && (items ?? []).length === 0) return undefined;
  const used = (items ?? []).flatMap((item) => item.containers ?? []).map(({ usage }) => usage);
  const sum = (key: 'cpu' | 'memory'): number => used.reduce((all, each) => all + (parseQuantity(each?.[key] ?? '0') ?? 0), 0);
  return rounded(sum('cpu'), sum('memory'));
};

const fromNodes = async (api: KubeApi, pods: readonly Pod[]): Promise<Usage> => {
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const nodes = [...new Set(pods.map((pod) => pod.spec?.nodeName).filter((name) => name !== undefined))];
  const summaries = await Promise.all(
    nodes.map((node) => api.call<NodeSummary>('GET', paths.nodeUsage(node), { timeoutMs: 5000 })),
  );
  const ours = summaries.flatMap((summary) => summary.pods ?? []).filter(({ podRef }) => uids.has(podRef.uid));
  const cpu = ours.reduce((all, pod) => all + (pod.cpu?.usageNanoCores ?? 0) / 1e9, 0);
  return rounded(
    cpu,
    ours.reduce((all, pod) => all + (pod.memory?.workingSetBytes ?? 0), 0),
  );
};

/** `undefined` where the cluster does not say. */
export const readUsage = async (api: KubeApi, ref: FunctionRef, pods: readonly Pod[]): Promise<Usage | undefined> => {
  try {
    return await fromMetrics(api, ref, pods);
  } catch {
    return fromNodes(api, pods).catch(() => undefined);
  }
};

// What Kubernetes has noted about pods that do not run as they should and does not put into their status: probes that fail,
// volumes that cannot be mounted. Asked for only when somebody wants to know a function in detail.
import type { Condition } from '../types/function.ts';
import { type KubeApi, paths } from './api.ts';
import { oneLine } from './failure.ts';
import type { KubeEvent, KubeList, Pod } from './objects.ts';

export type Warning = {
  /** Kubernetes' own word. */
  readonly reason: string;
  readonly message: string;
};

/** Pods of one function mostly fail alike. */
const mostPods = 3;

/** Of most others the pod's status says more, or they hold nobody up. */
const telling: ReadonlySet<string> = new Set([
  'Unhealthy',
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'FailedPostStartHook',
  'NetworkNotReady',
  'SysctlForbidden',
]);

const timeOf = ({ lastTimestamp, eventTime, series, metadata }: KubeEvent): string =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

/** The newest that says more than the status does. Pure. */
export const newestWarning = (events: readonly KubeEvent[]): Warning | undefined => {
  const known = events.filter(({ type, reason }) => type === 'Warning' && telling.has(reason ?? ''));
  const [newest] = known.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  if (newest === undefined) return undefined;
  const times = newest.series?.count ?? newest.count ?? 1;
  const message = oneLine(newest.message, 500);
  return { reason: newest.reason ?? 'Warning', message: times > 1 ? `${message} (${times} times)` : message };
};

/** `undefined` when there is nothing, or when we may not know. */
export const readWarning = async (api: KubeApi, namespace: string, pods: readonly Pod[]): Promise<Warning | undefined> => {
  const read = async ({ metadata }: Pod): Promise<readonly KubeEvent[]> => {
    const query = { fieldSelector: `involvedObject.uid=${metadata.uid},type=Warning`, limit: 100 };
    const { items } = await api.call<KubeList<KubeEvent>>('GET', paths.events(namespace), { query, timeoutMs: 5000 });
    return items ?? [];
  };
  try {
    return newestWarning((await Promise.all(pods.slice(0, mostPods).map(read))).flat());
  } catch {
    return undefined;
  }
};

/** The conditions with it, where they say that something is missing. Pure. */
export const withWarning = (conditions: readonly Condition[], warning: Warning | undefined): Condition[] =>
  conditions.map((condition) => {
    if (warning === undefined || condition.status !== 'False') return condition;
    const reason = condition.reason === 'Starting' && warning.reason === 'Unhealthy' ? 'ProbeFailed' : condition.reason;
    return { ...condition, reason, message: `${condition.message}; Kubernetes says: ${warning.reason}: ${warning.message}` };
  });

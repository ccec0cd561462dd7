// What a Pod's status says that matters for sending it calls. Pure.
import type { ContainerStatus, Pod } from './objects.ts';
import { functionLabel } from './pod.ts';

export const functionOf = (pod: Pod): string => pod.metadata.labels?.[functionLabel] ?? '';

/** The container of the function, among those that somebody has put beside it. */
export const functionContainer = (pod: Pod): ContainerStatus | undefined => {
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.find((each) => each.name === functionOf(pod)) ?? statuses[0];
};

export const isLeaving = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';

/** Where it may answer, whatever Kubernetes thinks of its readiness; `undefined` while it has no address or is on its way out. */
export const addressOf = (pod: Pod): string | undefined => (isLeaving(pod) ? undefined : pod.status?.podIP || undefined);

/** Which start of the container runs; a change means that the one before has ended. */
export const runOf = (pod: Pod): { readonly id: string | undefined; readonly restarts: number; readonly down: boolean } => {
  const status = functionContainer(pod);
  const down = status?.state?.terminated !== undefined || (status?.state?.waiting !== undefined && status.restartCount !== 0);
  return { id: status?.containerID || undefined, restarts: status?.restartCount ?? 0, down };
};

/** When its container was started, in ms since 1970; `NaN` when it does not run. */
export const runningSinceMs = (pod: Pod): number => Date.parse(functionContainer(pod)?.state?.running?.startedAt ?? '');

export const isUnready = (pod: Pod): boolean =>
  pod.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'False') === true;

/** Only what the provider looks at: a cluster has many pods and each is told about at length. */
export const trimPod = ({ metadata, spec, status }: Pod): Pod => {
  const { name, namespace, uid, resourceVersion, labels, annotations, creationTimestamp, deletionTimestamp } = metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: {
      ...(spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
      containers: (spec?.containers ?? []).map(({ name: container, image = '' }) => ({ name: container, image })),
    },
    ...(status === undefined
      ? {}
      : {
          status: {
            ...(status.phase === undefined ? {} : { phase: status.phase }),
            ...(status.podIP === undefined ? {} : { podIP: status.podIP }),
            conditions: (status.conditions ?? []).filter(({ type }) => type === 'Ready' || type === 'PodScheduled'),
            ...(status.initContainerStatuses === undefined ? {} : { initContainerStatuses: status.initContainerStatuses }),
            containerStatuses: status.containerStatuses ?? [],
          },
        }),
  };
};

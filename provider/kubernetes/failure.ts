// Why a function's pods do not run, read from their status: the reasons that waiting alone does not cure. Pure.
import type { FunctionFailure } from '../provider.ts';
import type { ContainerStatus, Deployment, Pod } from './objects.ts';

/** Kubernetes' words for an image that does not come, and ours. */
const imageReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
]);

const startReasons: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'StartError',
]);

/** One line, the end of it where it is long: that is where errors stand. */
export const oneLine = (text: string | undefined, most = 1000): string => {
  const lines = (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' | ');
  return lines.length <= most ? lines : `…${lines.slice(1 - most)}`;
};

const endOf = (status: ContainerStatus): string => {
  const ended = status.lastState?.terminated ?? status.state?.terminated;
  if (ended === undefined) return 'the function ended';
  const said = oneLine(ended.message);
  const how =
    ended.reason === 'OOMKilled' ? 'was killed for using more memory than its limit' : `exited with code ${ended.exitCode}`;
  return `the function ${how} ${status.restartCount ?? 0} times${said === '' ? '' : `; its last lines: ${said}`}`;
};

const ofContainer = (status: ContainerStatus): FunctionFailure | undefined => {
  const waiting = status.state?.waiting;
  const reason = waiting?.reason ?? '';
  if (reason === 'CrashLoopBackOff') {
    const killed = status.lastState?.terminated?.reason === 'OOMKilled';
    return { reason: killed ? 'OOMKilled' : 'CrashLoop', message: endOf(status) };
  }
  const detail = oneLine(waiting?.message);
  if (imageReasons.has(reason))
    return { reason: 'ImagePullFailed', message: `${reason}: ${detail || 'the image does not come'}` };
  if (startReasons.has(reason))
    return { reason: 'StartFailed', message: `${reason}: ${detail || 'the container does not start'}` };
  return undefined;
};

const ofPod = (pod: Pod): FunctionFailure | undefined => {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const failure = ofContainer(status);
    if (failure !== undefined) return failure;
  }
  const scheduled = pod.status?.conditions?.find((each) => each.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { reason: 'Unschedulable', message: oneLine(scheduled.message) || 'no node fits' };
  }
  return undefined;
};

/** Pods that Kubernetes does not even make: quota, admission, a missing service account. */
const ofDeployment = (deployment: Deployment): FunctionFailure | undefined => {
  const refused = deployment.status?.conditions?.find((each) => each.type === 'ReplicaFailure' && each.status === 'True');
  if (refused === undefined) return undefined;
  const message = oneLine(refused.message) || 'Kubernetes makes no pods';
  return { reason: /exceeded quota/.test(message) ? 'QuotaExceeded' : (refused.reason ?? 'FailedCreate'), message };
};

/**
 * @param pods those of the wanted revision that are not on their way out
 */
export const failureOf = (deployment: Deployment, pods: readonly Pod[]): FunctionFailure | undefined => {
  if ((deployment.spec.replicas ?? 1) === 0) return undefined;
  for (const pod of pods) {
    const failure = ofPod(pod);
    if (failure !== undefined) return failure;
  }
  return ofDeployment(deployment);
};

/** The last end of a container that has been started again since, in words. */
export const lastEndOf = (pods: readonly Pod[]): string | undefined => {
  for (const pod of pods) {
    const status = pod.status?.containerStatuses?.find((each) => each.lastState?.terminated !== undefined);
    if (status !== undefined) return `${endOf(status)}; it was started again`;
  }
  return undefined;
};

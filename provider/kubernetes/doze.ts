// The two steps to zero: a mark on the Deployment, which all gateways see in their watch; then no replicas, by one request that
// the API server takes only while the mark is still there. Whoever needs the function meanwhile takes the mark away by scaling.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { FunctionRef } from '../types/name.ts';
import { jsonPatch, type KubeApi, mergePatch, paths } from './api.ts';
import { KubeError } from './errors.ts';
import type { Deployment } from './objects.ts';

/** On the Deployment itself, not on its pods, so that it starts no rollout. */
export const dozeKey = 'sluice.dev/dozing';

/** A watch needs milliseconds to tell; who has not heard by then has his calls drained by the pods as they end. */
export const noticeMs = 2000;

export const dozeMarkOf = ({ metadata }: Deployment): string | undefined => metadata.annotations?.[dozeKey] || undefined;

/** Any number of replicas, and awake. */
export const scalePatch = (replicas: number): object => ({
  metadata: { annotations: { [dozeKey]: null } },
  spec: { replicas },
});

export const dozePatch = (mark: string): object => ({ metadata: { annotations: { [dozeKey]: mark } } });

/** @see https://www.rfc-editor.org/rfc/rfc6901 for the slash in the key */
export const sleepPatch = (mark: string): object[] => {
  const path = `/metadata/annotations/${dozeKey.replace('/', '~1')}`;
  return [
    { op: 'test', path, value: mark },
    { op: 'remove', path },
    { op: 'replace', path: '/spec/replicas', value: 0 },
  ];
};

const deploymentPath = ({ name, namespace }: FunctionRef): string => paths.deployments(namespace, name);

/** @throws KubeError */
export const markDozing = async (
  api: KubeApi,
  ref: FunctionRef,
  wrote: (deployment: Deployment) => void,
  waitMs: number = noticeMs,
): Promise<string> => {
  const mark = randomBytes(8).toString('hex');
  const options = { body: dozePatch(mark), contentType: mergePatch };
  wrote(await api.call<Deployment>('PATCH', deploymentPath(ref), options));
  await sleepFor(waitMs, undefined, { ref: false });
  return mark;
};

/** False when the mark is gone. @throws KubeError */
export const putToSleep = async (
  api: KubeApi,
  ref: FunctionRef,
  mark: string,
  wrote: (deployment: Deployment) => void,
): Promise<boolean> => {
  try {
    wrote(await api.call<Deployment>('PATCH', deploymentPath(ref), { body: sleepPatch(mark), contentType: jsonPatch }));
    return true;
  } catch (error) {
    // The test inside the patch has failed.
    if (error instanceof KubeError && error.status === 422) return false;
    throw error;
  }
};

// From a Deployment to the function that `GET /system/functions` shows (OpenFaaS contract, 2.2 and 5.5). Pure: it reads any
// Deployment that faas-netes or this provider made.
import type { FunctionFailure } from '../provider.ts';
import type { Condition, FunctionStatus, Resources } from '../types/function.ts';
import type { FunctionRef } from '../types/name.ts';
import { fromEnv } from './environment.ts';
import type { Container, Deployment, PodTemplate, Texts } from './objects.ts';
import { revisionKey, secretsVolume } from './pod.ts';

export const refOf = ({ metadata }: Deployment): FunctionRef => ({ name: metadata.name, namespace: metadata.namespace ?? '' });

export const containerOf = ({ spec }: PodTemplate, name: string): Container | undefined =>
  spec.containers.find((each) => each.name === name) ?? spec.containers[0];

const hidden: ReadonlySet<string> = new Set([revisionKey, 'kubectl.kubernetes.io/restartedAt']);

/** Of pods' annotations those that the user gave, and `prometheus.io.scrape`. */
export const shownAnnotations = (template: PodTemplate): Texts =>
  Object.fromEntries(Object.entries(template.metadata?.annotations ?? {}).filter(([key]) => !hidden.has(key)));

export const shownLabels = (template: PodTemplate): Texts => template.metadata?.labels ?? {};

const secretsOf = (template: PodTemplate, name: string): string[] => {
  const volume = template.spec.volumes?.find((each) => each.name === secretsVolume(name));
  const files = (volume?.projected?.sources ?? []).map((source) => source.secret?.name);
  const pulls = (template.spec.imagePullSecrets ?? []).map((each) => each.name);
  return [...new Set([...files, ...pulls].filter((each) => each !== undefined))].sort();
};

const filled = (texts: Texts | undefined): Texts | undefined =>
  texts === undefined || Object.keys(texts).length === 0 ? undefined : texts;

export type Facts = {
  readonly desired: number;
  /** Replicas that answer. */
  readonly ready: number;
  /** Those of them that run the wanted revision. */
  readonly current: number;
  /** Why the wanted revision does not run. */
  readonly failure: FunctionFailure | undefined;
  /** Why a pod that runs does not answer, or how the last one ended. */
  readonly remark: string | undefined;
  /** Which pod has been running for long without an answer. */
  readonly overdue: string | undefined;
};

type Verdict = Omit<Condition, 'lastTransitionTime'>;

const readiness = ({ desired, ready, failure, remark, overdue }: Facts): Verdict => {
  const verdict = (status: 'True' | 'False', reason: string, message: string): Verdict => ({
    type: 'Ready',
    status,
    reason,
    message,
  });
  if (ready > 0) return verdict('True', 'Running', `${ready} of ${desired} replicas answer`);
  if (desired === 0) return verdict('True', 'AtZero', 'no replica runs; the next call starts one');
  if (failure !== undefined) return verdict('False', failure.reason, failure.message);
  const text = `0 of ${desired} replicas answer yet`;
  if (overdue !== undefined) return verdict('False', 'ProbeFailed', `${text}; ${overdue}`);
  return verdict('False', 'Starting', remark === undefined ? text : `${text}; ${remark}`);
};

const health = ({ desired, ready, current, failure, remark }: Facts): Verdict => {
  const verdict = (status: 'True' | 'False', reason: string, message: string): Verdict => ({
    type: 'Healthy',
    status,
    reason,
    message,
  });
  if (failure !== undefined) {
    const serving = ready > 0 ? `; ${ready} replicas that started earlier go on serving` : '';
    return verdict('False', failure.reason, failure.message + serving);
  }
  if (desired === 0) return verdict('True', 'AtZero', 'no replica runs');
  if (ready > 0 && current === 0) return verdict('True', 'Updating', `${ready} replicas of the version before go on serving`);
  return verdict('True', ready > 0 ? 'Running' : 'Starting', remark ?? 'no replica has failed');
};

/** Times of transition are kept where status and reason stay the same. */
export const toConditions = (facts: Facts, before: readonly Condition[], nowMs: number): Condition[] =>
  [readiness(facts), health(facts)].map((verdict) => {
    const old = before.find((each) => each.type === verdict.type);
    const same = old !== undefined && old.status === verdict.status && old.reason === verdict.reason;
    return { ...verdict, lastTransitionTime: same ? old.lastTransitionTime : new Date(nowMs).toISOString() };
  });

const noTime = '0001-01-01T00:00:00Z';

export const toStatus = (deployment: Deployment, ready: number, conditions: readonly Condition[]): FunctionStatus => {
  const ref = refOf(deployment);
  const { template } = deployment.spec;
  const container = containerOf(template, ref.name);
  const annotations = shownAnnotations(template);
  const constraints = Object.entries(template.spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const secrets = secretsOf(template, ref.name);
  return {
    name: ref.name,
    namespace: ref.namespace,
    image: container?.image ?? '',
    ...fromEnv(container?.env ?? [], ref, annotations),
    constraints: constraints.length === 0 ? undefined : constraints,
    secrets: secrets.length === 0 ? undefined : secrets,
    labels: shownLabels(template),
    annotations: filled(annotations),
    limits: filled(container?.resources?.limits) as Resources | undefined,
    requests: filled(container?.resources?.requests) as Resources | undefined,
    readOnlyRootFilesystem: container?.securityContext?.readOnlyRootFilesystem === true || undefined,
    replicas: deployment.spec.replicas ?? 1,
    availableReplicas: ready,
    createdAt: deployment.metadata.creationTimestamp ?? noTime,
    conditions,
  };
};

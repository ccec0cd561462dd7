// From a function's specification to its Deployment (OpenFaaS contract, 5.1 and 5.5). Pure.
import { createHash } from 'node:crypto';
import type { FunctionSpec } from '../types/function.ts';
import { toScaleSpec } from '../types/scale.ts';
import type { Deployment, PodTemplate, Texts } from './objects.ts';
import type { PodSettings } from './options.ts';
import { functionLabel, isPinned, revisionKey, type SecretUse, toAnnotations, toPodTemplate } from './pod.ts';
import { applyProfiles, hasProfiles, type Profile, withoutProfiles } from './profiles.ts';

export type DeploymentParts = {
  readonly spec: FunctionSpec;
  readonly secrets: SecretUse;
  readonly settings: PodSettings;
  readonly profiles: readonly Profile[];
  /** Tells this update from others: an image's name may have come to mean another image. */
  readonly nonce: string;
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
};

/** Short digest of any JSON value, whatever the order of its keys. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 16);

/** Pinned images get a revision that is the same for the same specification, others a new one each time. */
const revisionOf = (parts: DeploymentParts): string => {
  const fresh = applyProfiles(toPodTemplate({ ...parts, selector: {} }), parts.profiles, parts.spec.service);
  const digest = digestOf(fresh);
  return isPinned(parts.spec.image) ? digest : `${digest}-${parts.nonce}`;
};

const marked = (template: PodTemplate, revision: string): PodTemplate => ({
  ...template,
  metadata: { ...template.metadata, annotations: { ...template.metadata?.annotations, [revisionKey]: revision } },
});

const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };

const strategyOf = (profiles: readonly Profile[]): object =>
  profiles.findLast((profile) => profile.strategy !== undefined)?.strategy ?? rolling;

/** @throws invalid for what a pod cannot be made of */
export const toDeployment = (parts: DeploymentParts): Deployment => {
  const { spec, profiles } = parts;
  const selector = { [functionLabel]: spec.service };
  const template = applyProfiles(toPodTemplate({ ...parts, selector }), profiles, spec.service);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: spec.service,
      namespace: spec.namespace,
      labels: { [functionLabel]: spec.service },
      annotations: toAnnotations(spec),
    },
    spec: {
      replicas: toScaleSpec(spec.labels).min,
      selector: { matchLabels: selector },
      strategy: strategyOf(profiles),
      revisionHistoryLimit: 10,
      template: marked(template, revisionOf(parts)),
    },
  };
};

/** Annotations that belong to Kubernetes' own controllers: who takes them away only gets them back. */
const controllers = (annotations: Texts | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key.startsWith('deployment.kubernetes.io/')));

/**
 * The Deployment `before` with what the specification says; replicas stay unless it has a minimum. Environment, labels and
 * annotations of the old specification are gone.
 * @throws invalid as toDeployment
 */
export const updateDeployment = (before: Deployment, parts: DeploymentParts): Deployment => {
  const { spec, profiles } = parts;
  const selector = before.spec.selector.matchLabels ?? {};
  const old = hasProfiles(before) ? withoutProfiles(before.spec.template) : before.spec.template;
  const template = applyProfiles(toPodTemplate({ ...parts, before: old, selector }), profiles, spec.service);
  const scale = toScaleSpec(spec.labels);
  return {
    ...before,
    metadata: {
      ...before.metadata,
      labels: { ...before.metadata.labels, [functionLabel]: spec.service },
      annotations: { ...controllers(before.metadata.annotations), ...toAnnotations(spec) },
    },
    spec: {
      ...before.spec,
      ...(scale.hasMin ? { replicas: scale.min } : {}),
      strategy: strategyOf(profiles),
      template: marked(template, revisionOf(parts)),
    },
  };
};

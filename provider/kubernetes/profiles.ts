// Profiles: settings of pods that an operator has prepared and functions name (OpenFaaS contract, 5.6).
import { FaasError } from '../types/errors.ts';
import { type KubeApi, paths } from './api.ts';
import { isNotFound, toFaasError } from './errors.ts';
import type { Deployment, KubeObject, PodTemplate, Texts } from './objects.ts';

type Fields = Readonly<Record<string, unknown>>;

export type Profile = {
  readonly tolerations?: readonly unknown[];
  readonly runtimeClassName?: string;
  readonly podSecurityContext?: Fields;
  readonly affinity?: Fields;
  readonly topologySpreadConstraints?: readonly unknown[];
  readonly dnsPolicy?: string;
  readonly dnsConfig?: Fields;
  readonly resources?: { readonly limits?: Texts; readonly requests?: Texts };
  readonly priorityClassName?: string;
  readonly strategy?: object;
};

const key = 'com.openfaas.profile';

export const profileNames = (annotations: Texts | undefined): string[] =>
  (annotations?.[key] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const hasProfiles = ({ metadata, spec }: Deployment): boolean =>
  profileNames(metadata.annotations).length > 0 || profileNames(spec.template.metadata?.annotations).length > 0;

/** The template without all that a profile can have put there. */
export const withoutProfiles = (template: PodTemplate): PodTemplate => {
  const {
    tolerations: _1,
    runtimeClassName: _2,
    securityContext: _3,
    affinity: _4,
    topologySpreadConstraints: _5,
    dnsConfig: _6,
    priorityClassName: _7,
    // Filled in by the API server from the class.
    priority: _8,
    preemptionPolicy: _9,
    ...spec
  } = template.spec;
  return { ...template, spec };
};

type Container = PodTemplate['spec']['containers'][number];

/** The function's own specification wins. */
const withResources = (container: Container, { limits, requests }: NonNullable<Profile['resources']>): Container => ({
  ...container,
  resources: {
    ...container.resources,
    limits: { ...limits, ...container.resources?.limits },
    requests: { ...requests, ...container.resources?.requests },
  },
});

const apply = (template: PodTemplate, profile: Profile, service: string): PodTemplate => {
  const { spec } = template;
  const list = (name: string): readonly unknown[] => (spec[name] as readonly unknown[] | undefined) ?? [];
  const merged = (name: string, fields: Fields | undefined) =>
    fields === undefined ? {} : { [name]: { ...(spec[name] as Fields | undefined), ...fields } };
  const { resources } = profile;
  const containers = spec.containers.map((each) =>
    each.name === service && resources !== undefined ? withResources(each, resources) : each,
  );
  return {
    ...template,
    spec: {
      ...spec,
      ...(profile.tolerations === undefined ? {} : { tolerations: [...list('tolerations'), ...profile.tolerations] }),
      ...(profile.topologySpreadConstraints === undefined
        ? {}
        : { topologySpreadConstraints: [...list('topologySpreadConstraints'), ...profile.topologySpreadConstraints] }),
      ...(profile.runtimeClassName === undefined ? {} : { runtimeClassName: profile.runtimeClassName }),
      ...(profile.affinity === undefined ? {} : { affinity: profile.affinity }),
      ...(profile.dnsPolicy === undefined ? {} : { dnsPolicy: profile.dnsPolicy }),
      ...(profile.priorityClassName === undefined ? {} : { priorityClassName: profile.priorityClassName }),
      ...merged('securityContext', profile.podSecurityContext),
      ...merged('dnsConfig', profile.dnsConfig),
      containers,
    },
  };
};

/** @param service name of the function's container among those that others have put beside it */
export const applyProfiles = (template: PodTemplate, profiles: readonly Profile[], service: string): PodTemplate =>
  profiles.reduce((before, profile) => apply(before, profile, service), template);

/** @throws invalid for a profile that is not there, or a cluster that has none */
export const readProfiles = (api: KubeApi, namespace: string, annotations: Texts | undefined): Promise<Profile[]> =>
  Promise.all(
    profileNames(annotations).map(async (name) => {
      try {
        return (await api.call<KubeObject & { spec?: Profile }>('GET', paths.profiles(namespace, name))).spec ?? {};
      } catch (error) {
        if (!isNotFound(error)) throw toFaasError(error, `profile ${JSON.stringify(name)}`);
        const text = `annotations.${key}: expected profiles that exist in namespace ${JSON.stringify(namespace)}, got ${JSON.stringify(name)}`;
        throw new FaasError('invalid', text, { cause: error });
      }
    }),
  );

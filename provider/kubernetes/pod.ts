// From a function's specification to the template of its pods (OpenFaaS contract, 5.1 and 5.3). Pure. What other writers
// have put into an existing template stays, unless it is ours to say.
import { FaasError } from '../types/errors.ts';
import type { FunctionSpec, Resources } from '../types/function.ts';
import { gracePeriodSeconds, toEnv } from './environment.ts';
import type { Container, PodSpec, PodTemplate, Texts, Volume, VolumeMount } from './objects.ts';
import type { PodSettings } from './options.ts';
import { toProbes } from './probes.ts';

/** The secrets of a function by what Kubernetes does with them; names sorted, none twice. */
export type SecretUse = { readonly files: readonly string[]; readonly pulls: readonly string[] };

export const functionLabel = 'faas_function';
/** On the template: another value makes new pods. Not shown to users. */
export const revisionKey = 'sluice.dev/revision';
export const secretsMountPath = '/var/openfaas/secrets';
const serviceAccountKey = 'com.openfaas.serviceaccount';

const temp = 'temp';
export const secretsVolume = (service: string): string => `${service}-projected-secrets`;

const scrapeKey = 'prometheus.io.scrape';

/** Annotations of Deployment, Service and template. */
export const toAnnotations = (spec: FunctionSpec): Record<string, string> => ({ [scrapeKey]: 'false', ...spec.annotations });

const reference =
  /^([a-zA-Z0-9][a-zA-Z0-9.-]*(:\d+)?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?(@[a-z0-9]+:[0-9a-f]{32,})?$/;

/** @throws invalid */
export const checkImage = (image: string): void => {
  if (image.length <= 1024 && reference.test(image)) return;
  throw new FaasError(
    'invalid',
    `image: expected an image such as registry.example.com/name:tag, got ${JSON.stringify(image.slice(0, 200))}`,
  );
};

/** True when the name cannot come to mean another image. */
export const isPinned = (image: string): boolean => image.includes('@');

/** cpu, memory and devices such as nvidia.com/gpu. */
const amounts = (resources: Resources | undefined): Record<string, string> | undefined => {
  const pairs = Object.entries(resources ?? {}).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' && pair[1] !== '' && (pair[0] === 'memory' || pair[0] === 'cpu' || pair[0].includes('/')),
  );
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
};

const defined = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;

/** Entries of the form key=value; others mean nothing to Kubernetes and are left out, as faas-netes does. */
export const toNodeSelector = (constraints: readonly string[] | undefined): Record<string, string> | undefined => {
  const pairs = (constraints ?? []).map((each) => each.split('=').map((part) => part.trim())).filter((pair) => pair.length === 2);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
};

const toMounts = (spec: FunctionSpec, secrets: SecretUse): VolumeMount[] => [
  ...(spec.readOnlyRootFilesystem ? [{ name: temp, mountPath: '/tmp', readOnly: false }] : []),
  ...(secrets.files.length === 0 ? [] : [{ name: secretsVolume(spec.service), mountPath: secretsMountPath, readOnly: true }]),
];

const toVolumes = (spec: FunctionSpec, secrets: SecretUse): Volume[] => [
  ...(spec.readOnlyRootFilesystem ? [{ name: temp, emptyDir: {} }] : []),
  ...(secrets.files.length === 0
    ? []
    : [
        {
          name: secretsVolume(spec.service),
          projected: { sources: secrets.files.map((name) => ({ secret: { name } })) },
        },
      ]),
];

const notOurs = <Item extends { readonly name: string }>(items: readonly Item[] | undefined, service: string): Item[] =>
  (items ?? []).filter(({ name }) => name !== temp && name !== secretsVolume(service));

const orUndefined = <Item>(items: readonly Item[]): readonly Item[] | undefined => (items.length === 0 ? undefined : items);

const toContainer = (spec: FunctionSpec, secrets: SecretUse, settings: PodSettings, before: Container | undefined): Container => {
  const ref = { name: spec.service, namespace: spec.namespace };
  const { annotations, envProcess, envVars, limits, requests } = spec;
  const { runAsUser: _, ...security } = before?.securityContext ?? {};
  const resources = defined({ limits: amounts(limits), requests: amounts(requests) });
  return defined({
    ...before,
    name: spec.service,
    image: spec.image,
    imagePullPolicy: settings.imagePullPolicy,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: toEnv({ ref, envProcess, envVars, annotations }),
    resources,
    ...toProbes(toAnnotations(spec), settings.httpProbe),
    securityContext: {
      ...security,
      readOnlyRootFilesystem: spec.readOnlyRootFilesystem ?? false,
      allowPrivilegeEscalation: false,
      ...(settings.setNonRootUser ? { runAsUser: 12_000 } : {}),
    },
    volumeMounts: orUndefined([...notOurs(before?.volumeMounts, spec.service), ...toMounts(spec, secrets)]),
    // The last lines of a crashed function come with the pod's status.
    terminationMessagePolicy: 'FallbackToLogsOnError',
  }) as Container;
};

/** One that the old specification named goes with it; one that somebody else has set stays. */
const toServiceAccount = (spec: FunctionSpec, before: PodTemplate | undefined): Record<string, unknown> => {
  const name = spec.annotations?.[serviceAccountKey];
  if (name === undefined && before?.metadata?.annotations?.[serviceAccountKey] === undefined) return {};
  // The older name of the same field is filled in by the API server.
  return { serviceAccountName: name, serviceAccount: undefined };
};

export type TemplateParts = {
  readonly spec: FunctionSpec;
  readonly secrets: SecretUse;
  readonly settings: PodSettings;
  /** The template as it is, for an update. */
  readonly before?: PodTemplate | undefined;
  /** Labels that the Deployment's selector asks for. */
  readonly selector: Texts;
};

/** @throws invalid for an image or an annotation that makes no sense */
export const toPodTemplate = ({ spec, secrets, settings, before, selector }: TemplateParts): PodTemplate => {
  checkImage(spec.image);
  const { service } = spec;
  const containers = before?.spec.containers ?? [];
  // One that faas-netes made has the function's name; otherwise the first is taken for it.
  const own = containers.find((each) => each.name === service) ?? containers[0];
  const container = toContainer(spec, secrets, settings, own);
  const podSpec: PodSpec = {
    ...before?.spec,
    containers: own === undefined ? [container] : containers.map((each) => (each === own ? container : each)),
    volumes: orUndefined([...notOurs(before?.spec.volumes, service), ...toVolumes(spec, secrets)]) as readonly Volume[],
    nodeSelector: toNodeSelector(spec.constraints) as Texts,
    imagePullSecrets: orUndefined(secrets.pulls.map((name) => ({ name }))) as readonly { name: string }[],
    ...toServiceAccount(spec, before),
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: false,
    terminationGracePeriodSeconds: gracePeriodSeconds(container.env ?? []),
  };
  return {
    metadata: { labels: { [functionLabel]: service, ...spec.labels, ...selector }, annotations: toAnnotations(spec) },
    spec: defined(podSpec),
  };
};

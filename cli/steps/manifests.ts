// The objects of deploy/kubernetes/, as this cluster and this installation need them.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { FaasError } from '../../provider/types/errors.ts';

export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
};

export type Installation = {
  readonly image: string;
  readonly replicas: number;
  /** Rights in the namespace of functions only, instead of the whole cluster. */
  readonly oneNamespace: boolean;
  readonly networkPolicy: boolean;
};

/** What kinds are called in paths; the table is also the list of kinds that are installed. */
const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Secret: 'secrets',
  Deployment: 'deployments',
  Service: 'services',
  PodDisruptionBudget: 'poddisruptionbudgets',
  NetworkPolicy: 'networkpolicies',
};

/** @throws internal for a kind that is not in the table */
export const pathOf = ({ apiVersion, kind, metadata }: Manifest): string => {
  const plural = plurals[kind];
  if (plural === undefined)
    throw new FaasError('internal', `manifests: expected one of ${Object.keys(plurals).join(', ')}, got ${kind}`);
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${scope}/${plural}/${metadata.name}`;
};

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** All of a directory, in the order of its files. @throws internal for a file that is no YAML */
export const readManifests = async (dir: string): Promise<{ file: string; manifest: Manifest }[]> => {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.yaml')).sort();
  const read = await Promise.all(
    files.map(async (file) => {
      const documents = parseAllDocuments(await readFile(join(dir, file), 'utf8'));
      return documents.map((document) => {
        const [error] = document.errors;
        if (error !== undefined) throw new FaasError('internal', `${join(dir, file)}: ${error.message}`, { cause: error });
        return { file, manifest: document.toJS() as Manifest };
      });
    }),
  );
  return read.flat();
};

const isWanted = (file: string, { oneNamespace, networkPolicy }: Installation): boolean => {
  if (file.startsWith('20-rbac-')) return file === (oneNamespace ? '20-rbac-one-namespace.yaml' : '20-rbac-cluster.yaml');
  return networkPolicy || file !== '50-network-policy.yaml';
};

type PodTemplate = { readonly spec: { readonly containers: readonly object[] } };

const settle = (manifest: Manifest, { image, replicas }: Installation, policyVersion: string): Manifest => {
  if (manifest.kind === 'PodDisruptionBudget') return { ...manifest, apiVersion: policyVersion };
  if (manifest.kind !== 'Deployment') return manifest;
  const template = manifest.spec?.template as PodTemplate;
  const containers = template.spec.containers.map((container) => ({ ...container, image }));
  return { ...manifest, spec: { ...manifest.spec, replicas, template: { ...template, spec: { ...template.spec, containers } } } };
};

/**
 * @param policyVersion `policy/v1`, or `policy/v1beta1` where the API server has nothing newer
 */
export const toManifests = (
  all: readonly { readonly file: string; readonly manifest: Manifest }[],
  installation: Installation,
  policyVersion: string,
): Manifest[] =>
  all.filter(({ file }) => isWanted(file, installation)).map(({ manifest }) => settle(manifest, installation, policyVersion));

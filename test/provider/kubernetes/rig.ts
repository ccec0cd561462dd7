// The provider on an API server of the test's own, with a namespace for functions. No pods run there: none answers.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createKubernetesProvider, type KubernetesProviderOptions } from '../../../provider/kubernetes/index.ts';
import type { Deployment, Namespace, Pod, Service } from '../../../provider/kubernetes/objects.ts';
import type { FunctionReport, Provider } from '../../../provider/provider.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { type FakeKubeApi, startKubeApi } from './kube-api.ts';

export const namespace = 'openfaas-fn';
export const collections = {
  deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
  services: `/api/v1/namespaces/${namespace}/services`,
  pods: `/api/v1/namespaces/${namespace}/pods`,
  secrets: `/api/v1/namespaces/${namespace}/secrets`,
  events: `/api/v1/namespaces/${namespace}/events`,
  podMetrics: `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`,
  profiles: '/apis/openfaas.com/v1/namespaces/openfaas/profiles',
  namespaces: '/api/v1/namespaces',
};

export type Rig = {
  readonly api: FakeKubeApi;
  readonly provider: Provider;
  /** What observers were told last, by name. */
  readonly reports: ReadonlyMap<string, FunctionReport>;
  deployment(name: string): Deployment | undefined;
  service(name: string): Service | undefined;
  /** Writes from now on, as `METHOD path`. */
  forget(): void;
};

export const kubeconfig = (url: string): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'u', user: { token: 'secret' } }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
});

export const openNamespace = (name: string): Namespace => ({ metadata: { name, annotations: { openfaas: '1' } } });

/** @param prepare what is in the cluster before the provider starts */
export const startRig = async (
  t: TestContext,
  { prepare, ...options }: Partial<KubernetesProviderOptions> & { prepare?: (api: FakeKubeApi) => void } = {},
): Promise<Rig> => {
  const api = await startKubeApi(t);
  api.put(openNamespace(namespace), collections.namespaces);
  prepare?.(api);
  const dir = await makeTmpDir(t);
  const file = join(dir, 'kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig(api.url)));
  const opening = createKubernetesProvider({ kubeconfig: file, home: dir, reach: 'direct', ...options });
  const provider = await within(opening, 'the provider', 30_000);
  onEnd(t, () => provider.close());
  const reports = new Map<string, FunctionReport>();
  provider.watch({
    functionChanged: (report) => void reports.set(report.ref.name, report),
    functionRemoved: (ref) => void reports.delete(ref.name),
    endpointReady: () => undefined,
    endpointGone: async () => undefined,
    synced: () => undefined,
  });
  return {
    api,
    provider,
    reports,
    deployment: (name) => api.find<Deployment>(`${collections.deployments}/${name}`),
    service: (name) => api.find<Service>(`${collections.services}/${name}`),
    forget: () => void (api.writes as unknown[]).splice(0),
  };
};

/** A pod of the function that has no address yet. */
export const podOf = (name: string, status: Pod['status'] = {}, created = '2030-01-01T00:00:00Z'): Pod => ({
  metadata: {
    name: `${name}-1`,
    namespace,
    creationTimestamp: created,
    labels: { faas_function: name, 'pod-template-hash': 'h1' },
  },
  spec: { nodeName: 'node1', containers: [{ name, image: `${name}:1` }] },
  status,
});

// Paths of the Kubernetes API, and what a client of it can do. JSON in and out; lists and watches come as they are.

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export type CallOptions = {
  readonly query?: Query;
  readonly body?: unknown;
  /** `application/json` unless told; patches have types of their own. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the whole answer, 30 s unless told. */
  readonly timeoutMs?: number;
};

export interface KubeApi {
  /** @throws KubeError for an answer that is no success; Error when there is none */
  call<Answer>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options?: CallOptions): Promise<Answer>;
  /** An answer of unknown length, piece by piece. @throws as call */
  stream(path: string, options?: Pick<CallOptions, 'query' | 'signal'>): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

export const jsonPatch = 'application/json-patch+json';
export const mergePatch = 'application/merge-patch+json';
export const applyPatch = 'application/apply-patch+yaml';

const part = encodeURIComponent;

const inNamespace = (group: string, resource: string) => (namespace?: string, name?: string) =>
  `${group}${namespace === undefined ? '' : `/namespaces/${part(namespace)}`}/${resource}${name === undefined ? '' : `/${part(name)}`}`;

export const paths = {
  deployments: inNamespace('/apis/apps/v1', 'deployments'),
  services: inNamespace('/api/v1', 'services'),
  pods: inNamespace('/api/v1', 'pods'),
  secrets: inNamespace('/api/v1', 'secrets'),
  events: inNamespace('/api/v1', 'events'),
  profiles: inNamespace('/apis/openfaas.com/v1', 'profiles'),
  podMetrics: inNamespace('/apis/metrics.k8s.io/v1beta1', 'pods'),
  namespaces: (name?: string) => `/api/v1/namespaces${name === undefined ? '' : `/${part(name)}`}`,
  nodeUsage: (node: string) => `/api/v1/nodes/${part(node)}/proxy/stats/summary`,
  log: (namespace: string, pod: string) => `${paths.pods(namespace, pod)}/log`,
  accessReviews: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  version: '/version',
};

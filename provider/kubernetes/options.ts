// What the Kubernetes provider is told, with OpenFaaS's defaults.
import type { VersionInfo } from '../types/info.ts';
import { defaultNamespace } from '../types/name.ts';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
export type PullPolicy = (typeof pullPolicies)[number];

/** How pods are made. */
export type PodSettings = {
  readonly imagePullPolicy: PullPolicy;
  /** Probes by HTTP GET of `/_/health`; otherwise by the watchdog's lock file. */
  readonly httpProbe: boolean;
  /** Runs every function as user 12000. */
  readonly setNonRootUser: boolean;
};

export const defaultPodSettings: PodSettings = { imagePullPolicy: 'Always', httpProbe: true, setNonRootUser: false };

/** How calls reach pods: by their address, or through the API server where this machine has no route to them. */
export type Reach = 'auto' | 'direct' | 'tunnel';

export type KubernetesProviderOptions = {
  /** Path of a kubeconfig; without one the pod's service account is used, then `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** The `KUBERNETES_SERVICE_HOST` of a pod. */
  readonly serviceHost?: string | undefined;
  readonly home: string;
  readonly defaultNamespace?: string;
  /** Where Profile objects are; the default namespace's neighbour `openfaas` unless told. */
  readonly profilesNamespace?: string | undefined;
  readonly pods?: Partial<PodSettings>;
  readonly reach?: Reach;
  readonly log?: Log;
  readonly now?: () => number;
  readonly version?: VersionInfo;
};

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

export type Settings = Required<Omit<KubernetesProviderOptions, 'kubeconfig' | 'serviceHost' | 'home' | 'pods'>> & {
  readonly pods: PodSettings;
  readonly profilesNamespace: string;
};

export const toSettings = (options: KubernetesProviderOptions): Settings => ({
  defaultNamespace: options.defaultNamespace ?? defaultNamespace,
  profilesNamespace: options.profilesNamespace || 'openfaas',
  pods: { ...defaultPodSettings, ...options.pods },
  reach: options.reach ?? 'auto',
  log: options.log ?? silent,
  now: options.now ?? Date.now,
  version: options.version ?? { release: 'dev', sha: 'dev' },
});

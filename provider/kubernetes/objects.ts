// The Kubernetes objects that this provider reads and writes, as plain JSON and only as far as it looks at them. What it
// does not know stays in an object untouched.

export type Texts = Readonly<Record<string, string>>;

export type OwnerReference = { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };

export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Texts;
  readonly annotations?: Texts;
  /** RFC 3339 */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
};

export type KubeObject = { readonly apiVersion?: string; readonly kind?: string; readonly metadata: ObjectMeta };

export type KubeList<Item> = {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly Item[] | null;
};

/** What the API server answers in place of an object when it refuses. */
export type KubeStatus = {
  readonly kind: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
};

export type Probe = {
  readonly httpGet?: { readonly path: string; readonly port: number };
  readonly exec?: { readonly command: readonly string[] };
  readonly initialDelaySeconds?: number;
  readonly timeoutSeconds?: number;
  readonly periodSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
};

export type EnvVar = { readonly name: string; readonly value?: string; readonly valueFrom?: object };
export type VolumeMount = { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean };

export type Container = {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly env?: readonly EnvVar[];
  readonly resources?: { readonly limits?: Texts; readonly requests?: Texts };
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly terminationMessagePolicy?: string;
};

export type ProjectedSource = { readonly secret?: { readonly name: string } };

export type Volume = {
  readonly name: string;
  readonly emptyDir?: object;
  readonly projected?: { readonly sources?: readonly ProjectedSource[] };
};

export type PodSpec = {
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly nodeSelector?: Texts;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly restartPolicy?: string;
  readonly dnsPolicy?: string;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly enableServiceLinks?: boolean;
} & Readonly<Record<string, unknown>>;

export type PodTemplate = {
  readonly metadata?: { readonly labels?: Texts; readonly annotations?: Texts };
  readonly spec: PodSpec;
};

export type DeploymentCondition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
};

export type Deployment = KubeObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels?: Texts };
    readonly template: PodTemplate;
    readonly strategy?: object;
    readonly revisionHistoryLimit?: number;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly DeploymentCondition[];
  };
};

export type Service = KubeObject & {
  readonly spec: {
    readonly type?: string;
    readonly selector?: Texts;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      readonly targetPort?: number | string;
      readonly protocol?: string;
    }[];
  };
};

export type ContainerState = {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly finishedAt?: string;
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly containerID?: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
};

export type Pod = KubeObject & {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name: string; readonly image?: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly DeploymentCondition[];
    /** Of containers that others have put in front of the function's. */
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

/** Old and new writers of events fill in different times. */
export type KubeEvent = KubeObject & {
  /** Normal or Warning. */
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
};

export type Secret = KubeObject & { readonly type?: string; readonly data?: Texts };
export type Namespace = KubeObject & { readonly status?: { readonly phase?: string } };

/** Key of an object in a cache. */
export const keyOf = ({ metadata }: KubeObject): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.name}.${metadata.namespace}`;

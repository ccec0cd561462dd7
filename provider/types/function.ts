// What a function is on the wire: the deployment that clients send and the status that the gateway answers.
// Source: OpenFaaS provider types; unknown keys are ignored, `null` stands for absent.
import { z } from 'zod';
import { settingProblems } from './annotations.ts';
import { FaasError } from './errors.ts';
import { isLabelName, isSubdomainName, labelNameRule, subdomainNameRule } from './name.ts';
import { parseQuantity } from './quantity.ts';
import { describeIssues } from './validate.ts';

// The outer `optional` is for the type: a specification made by hand leaves keys out.
const absent = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();

const textMap = z.record(z.string(), z.string({ error: 'expected a text' }), { error: 'expected an object of texts' });

const name = z.string({ error: 'expected a function name' }).refine(isLabelName, { error: `expected ${labelNameRule}` });

const namespace = z
  .string({ error: 'expected a namespace name' })
  .refine((text) => text === '' || isLabelName(text), { error: `expected ${labelNameRule}` });

const quantity = (what: string) =>
  z
    .string({ error: `expected ${what}` })
    .refine((text) => text === '' || (parseQuantity(text) ?? -1) >= 0, { error: `expected ${what}` });

export const Resources = z.looseObject(
  {
    memory: absent(quantity('an amount of memory such as 128Mi')),
    cpu: absent(quantity('an amount of CPU such as 100m or 0.5')),
  },
  { error: 'expected an object with memory and cpu' },
);
export type Resources = { readonly memory?: string | undefined; readonly cpu?: string | undefined };

const envName = /^[^=\0]+$/;

export const FunctionDeployment = z.object({
  service: name,
  image: z.string({ error: 'expected an image name' }).min(1, { error: 'expected an image name' }),
  namespace: absent(namespace),
  envProcess: absent(z.string({ error: 'expected a command' })),
  envVars: absent(
    z.record(
      z.string().regex(envName),
      z.string({ error: 'expected a text' }).refine((text) => !text.includes('\0'), { error: 'expected a text without NUL' }),
      {
        error: (issue) =>
          issue.code === 'invalid_key' ? 'expected a variable name without = or NUL' : 'expected an object of texts',
      },
    ),
  ),
  constraints: absent(z.array(z.string({ error: 'expected a text such as key=value' }), { error: 'expected a list of texts' })),
  secrets: absent(
    z.array(z.string({ error: 'expected a secret name' }).refine(isSubdomainName, { error: `expected ${subdomainNameRule}` }), {
      error: 'expected a list of secret names',
    }),
  ),
  labels: absent(textMap),
  annotations: absent(textMap),
  limits: absent(Resources),
  requests: absent(Resources),
  readOnlyRootFilesystem: absent(z.boolean({ error: 'expected true or false' })),
});
export type FunctionDeployment = z.infer<typeof FunctionDeployment>;

/** A deployment whose namespace is settled: what a provider gets. */
export type FunctionSpec = FunctionDeployment & { readonly namespace: string };

/** The texts of a map inside a body that may be wrong elsewhere. */
const textsAt = (body: unknown, key: 'labels' | 'annotations'): Record<string, string> => {
  const map = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return {};
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
};

/**
 * Checks a deployment body completely.
 * @throws invalid naming every bad field
 */
export const parseDeployment = (value: unknown, fallbackNamespace: string): FunctionSpec => {
  const result = FunctionDeployment.safeParse(value);
  const problems = [
    ...(result.success ? [] : [describeIssues(result.error, value, 'body')]),
    settingProblems('label', textsAt(value, 'labels')),
    settingProblems('annotation', textsAt(value, 'annotations')),
  ].filter((problem) => problem !== '');
  if (!result.success || problems.length > 0) throw new FaasError('invalid', problems.join('; '));
  const settled = result.data.namespace || fallbackNamespace;
  if (!isLabelName(settled)) {
    throw new FaasError('invalid', `namespace: expected ${labelNameRule}, got ${JSON.stringify(settled)}`);
  }
  return { ...result.data, namespace: settled };
};

/** Body of `DELETE /system/functions`. */
export const DeleteFunctionRequest = z.looseObject({
  functionName: z.string({ error: 'expected a function name' }).min(1, { error: 'expected a function name' }),
  namespace: absent(namespace),
});

/** A fact about a function's state, in the shape of Kubernetes conditions. Only Sluice sends these. */
export type Condition = {
  /**
   * `Ready`: a replica answers, or would be started by a call. `Healthy`: no replica is failing. `TimedOut`: calls of
   * this version were cut at their time limit; only there when some were.
   */
  readonly type: 'Ready' | 'Healthy' | 'TimedOut';
  readonly status: 'True' | 'False';
  /** CamelCase word such as `Running`, `Scaled to zero`'s `AtZero`, `CrashLoop`, `OOMKilled`, `LoadFailed`, `NeverReady`. */
  readonly reason: string;
  readonly message: string;
  /** RFC 3339 */
  readonly lastTransitionTime: string;
};

/** As `GET /system/functions` answers it. Optional keys are left out when empty or zero, as OpenFaaS does. */
export type FunctionStatus = {
  readonly name: string;
  readonly image: string;
  readonly namespace: string;
  readonly envProcess?: string | undefined;
  readonly envVars?: Readonly<Record<string, string>> | undefined;
  readonly constraints?: readonly string[] | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Resources | undefined;
  readonly requests?: Resources | undefined;
  readonly readOnlyRootFilesystem?: boolean | undefined;
  readonly invocationCount?: number | undefined;
  /** Desired replicas. */
  readonly replicas?: number | undefined;
  /** Replicas that answer. */
  readonly availableReplicas?: number | undefined;
  /** RFC 3339 */
  readonly createdAt: string;
  /** CPU in millicores, memory in bytes, summed over replicas. */
  readonly usage?: { readonly cpu: number; readonly totalMemoryBytes: number } | undefined;
  readonly conditions?: readonly Condition[] | undefined;
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === 0 ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && !Array.isArray(value) && Object.values(value).every((each) => each === undefined));

/** The status as JSON value with empty and zero keys left out; `name`, `image`, `namespace` and `createdAt` always stay. */
export const toWireStatus = (status: FunctionStatus): Record<string, unknown> => {
  const kept = new Set(['name', 'image', 'namespace', 'createdAt']);
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => kept.has(key) || !isEmpty(value)));
};

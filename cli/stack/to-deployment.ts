// A function of a stack file and the flags of the command to the body that the gateway gets. Pure.
import type { FunctionDeployment, Resources } from '../../provider/types/function.ts';
import type { StackFunction } from './stack.ts';

export type DeployFlags = {
  readonly namespace: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly constraints: readonly string[];
  readonly secrets: readonly string[];
  readonly readOnly: boolean;
};

export type Settled = {
  /** With tag and, for a bundle, digest. */
  readonly image: string;
  /** Of the stack file, its environment files included. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the stack file or the template. */
  readonly fprocess: string;
};

const filled = (resources: Resources): FunctionDeployment['limits'] => {
  const { memory, cpu } = resources;
  return memory || cpu ? { memory: memory || undefined, cpu: cpu || undefined } : undefined;
};

const someTexts = (values: Readonly<Record<string, string>>): Record<string, string> | undefined =>
  Object.keys(values).length === 0 ? undefined : { ...values };

const some = (values: readonly string[]): string[] | undefined => (values.length === 0 ? undefined : [...values]);

/** Keys that are `undefined` stay out of the JSON; labels and annotations are always there. */
export const toDeployment = (fn: StackFunction, settled: Settled, flags: DeployFlags): FunctionDeployment => ({
  service: fn.name,
  image: settled.image,
  namespace: flags.namespace || fn.namespace || undefined,
  envProcess: settled.fprocess || undefined,
  envVars: someTexts({ ...settled.environment, ...flags.env }),
  constraints: some(fn.constraints ?? flags.constraints),
  secrets: some([...flags.secrets, ...fn.secrets.filter((name) => !flags.secrets.includes(name))]),
  labels: { ...fn.labels, ...flags.labels },
  annotations: { ...fn.annotations, ...flags.annotations },
  limits: filled(fn.limits),
  requests: filled(fn.requests),
  readOnlyRootFilesystem: fn.readOnly || flags.readOnly || undefined,
});

/** A function that only flags describe (`--image`, `--name`). */
export const functionOfFlags = (
  given: Partial<StackFunction> & { readonly name: string; readonly image: string },
): StackFunction => ({
  place: undefined,
  places: {},
  lang: '',
  handler: '',
  fprocess: '',
  environment: {},
  environmentFiles: [],
  secrets: [],
  skipBuild: false,
  constraints: undefined,
  labels: {},
  annotations: {},
  limits: {},
  requests: {},
  readOnly: false,
  buildOptions: [],
  buildArgs: {},
  namespace: '',
  ...given,
});

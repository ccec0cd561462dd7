// A function's state as `GET /system/functions` shows it.
import type { FunctionFailure } from '../provider.ts';
import type { Condition, FunctionSpec, FunctionStatus } from '../types/function.ts';

export type Facts = {
  readonly desired: number;
  readonly ready: number;
  /** Those of them that run the wanted revision. */
  readonly current: number;
  /** What callers are answered with, when there is no use in waiting. */
  readonly blocking: FunctionFailure | undefined;
  /** Why the wanted revision does not run, while it does not. */
  readonly failure: FunctionFailure | undefined;
  /** The last replica that ended by itself, in words. */
  readonly lastEnd: string | undefined;
};

export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

export const readiness = ({ desired, ready, blocking }: Facts): Verdict => {
  const verdict = (status: 'True' | 'False', reason: string, message: string): Verdict => ({
    type: 'Ready',
    status,
    reason,
    message,
  });
  if (ready > 0) return verdict('True', 'Running', `${ready} of ${desired} replicas answer`);
  if (blocking !== undefined) return verdict('False', blocking.reason, blocking.message);
  if (desired === 0) return verdict('True', 'AtZero', 'no replica runs; the next call starts one');
  return verdict('False', 'Starting', `0 of ${desired} replicas answer yet`);
};

/** `1 replica <which> goes`, `2 replicas <which> go` */
const going = (count: number, which: string): string =>
  count === 1 ? `1 replica ${which} goes` : `${count} replicas ${which} go`;

export const health = ({ desired, ready, current, failure, lastEnd }: Facts): Verdict => {
  if (failure !== undefined) {
    const serving = ready > 0 ? `${failure.message}; ${going(ready, 'that started earlier')} on serving` : failure.message;
    return { type: 'Healthy', status: 'False', reason: failure.reason, message: serving };
  }
  if (desired > 0 && ready > 0 && current === 0) {
    return {
      type: 'Healthy',
      status: 'True',
      reason: 'Updating',
      message: `${going(ready, 'of the version before')} on serving`,
    };
  }
  const reason = ready > 0 ? 'Running' : desired === 0 ? 'AtZero' : 'Starting';
  return { type: 'Healthy', status: 'True', reason, message: lastEnd ?? 'no replica has failed' };
};

/** Since when readiness and health are what they are, in ms since 1970. A reason is of one status alone. */
export type Standing = {
  readonly readiness: string;
  readonly readinessMs: number;
  readonly health: string;
  readonly healthMs: number;
};

/** `before` itself when neither has changed. */
export const toStanding = (facts: Facts, before: Standing | undefined, nowMs: number): Standing => {
  const { reason: ready } = readiness(facts);
  const { reason: healthy } = health(facts);
  const isReadySame = before?.readiness === ready;
  const isHealthSame = before?.health === healthy;
  if (before !== undefined && isReadySame && isHealthSame) return before;
  return {
    readiness: ready,
    readinessMs: isReadySame ? before.readinessMs : nowMs,
    health: healthy,
    healthMs: isHealthSame ? before.healthMs : nowMs,
  };
};

/** @param standing of the same facts */
export const toConditions = (facts: Facts, { readinessMs, healthMs }: Standing): Condition[] => [
  { ...readiness(facts), lastTransitionTime: new Date(readinessMs).toISOString() },
  { ...health(facts), lastTransitionTime: new Date(healthMs).toISOString() },
];

/** One for all that have none. */
export const noAnnotations: Readonly<Record<string, string>> = Object.freeze({});

export const shownLabels = (spec: FunctionSpec): Readonly<Record<string, string>> => ({
  ...spec.labels,
  faas_function: spec.service,
});

export type StatusSource = {
  readonly spec: FunctionSpec;
  /** With those that the provider adds. */
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly desired: number;
  readonly ready: number;
  readonly conditions: readonly Condition[];
  readonly usage?: FunctionStatus['usage'];
};

const filled = <Value extends object>(value: Value | undefined): Value | undefined =>
  value === undefined || Object.values(value).every((each) => each === undefined || each === '') ? undefined : value;

export const toStatus = ({ spec, labels, createdAt, desired, ready, conditions, usage }: StatusSource): FunctionStatus => ({
  name: spec.service,
  image: spec.image,
  namespace: spec.namespace,
  envProcess: spec.envProcess || undefined,
  envVars: filled(spec.envVars),
  constraints: spec.constraints?.length ? spec.constraints : undefined,
  secrets: spec.secrets?.length ? [...new Set(spec.secrets)].sort() : undefined,
  labels,
  annotations: filled(spec.annotations),
  limits: filled(spec.limits),
  requests: filled(spec.requests),
  readOnlyRootFilesystem: spec.readOnlyRootFilesystem || undefined,
  replicas: desired,
  availableReplicas: ready,
  createdAt,
  usage,
  conditions,
});

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

const readiness = ({ desired, ready, blocking }: Facts): Verdict => {
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

const health = ({ desired, ready, current, failure, lastEnd }: Facts): Verdict => {
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

export const verdictsOf = (facts: Facts): Verdict[] => [readiness(facts), health(facts)];

/** New conditions whose transition time is that of the old ones where status and reason are the same. */
export const toConditions = (verdicts: readonly Verdict[], before: readonly Condition[], nowMs: number): Condition[] =>
  verdicts.map((verdict) => {
    const old = before.find((each) => each.type === verdict.type);
    const same = old !== undefined && old.status === verdict.status && old.reason === verdict.reason;
    return { ...verdict, lastTransitionTime: same ? old.lastTransitionTime : new Date(nowMs).toISOString() };
  });

export type StatusSource = {
  readonly spec: FunctionSpec;
  readonly createdAt: string;
  readonly desired: number;
  readonly ready: number;
  readonly conditions: readonly Condition[];
  readonly usage?: FunctionStatus['usage'];
};

const filled = <Value extends object>(value: Value | undefined): Value | undefined =>
  value === undefined || Object.values(value).every((each) => each === undefined || each === '') ? undefined : value;

export const toStatus = ({ spec, createdAt, desired, ready, conditions, usage }: StatusSource): FunctionStatus => ({
  name: spec.service,
  image: spec.image,
  namespace: spec.namespace,
  envProcess: spec.envProcess || undefined,
  envVars: filled(spec.envVars),
  constraints: spec.constraints?.length ? spec.constraints : undefined,
  secrets: spec.secrets?.length ? [...new Set(spec.secrets)].sort() : undefined,
  labels: { ...spec.labels, faas_function: spec.service },
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

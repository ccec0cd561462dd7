// A function's environment in its container, and back from there: what the platform adds is not shown as the user's.
import { functionTimeoutMs } from '../types/annotations.ts';
import { formatDuration, parseDuration } from '../types/duration.ts';
import type { FunctionRef } from '../types/name.ts';
import type { EnvVar, Texts } from './objects.ts';

/** What every function is told. A user's variable of the same name wins. */
export const platformVariables = (ref: FunctionRef, annotations: Texts | undefined): Record<string, string> => {
  const timeoutMs = functionTimeoutMs(annotations);
  const platform = { OPENFAAS_NAME: ref.name, OPENFAAS_NAMESPACE: ref.namespace };
  if (timeoutMs === undefined) return platform;
  // The watchdog's limits follow the function's one timeout; without one its image decides, and none at all it does not take.
  if (timeoutMs === 0) return { ...platform, exec_timeout: '0s' };
  return { ...platform, exec_timeout: formatDuration(timeoutMs), write_timeout: formatDuration(timeoutMs) };
};

export type EnvironmentSource = {
  readonly ref: FunctionRef;
  readonly envProcess: string | undefined;
  readonly envVars: Texts | undefined;
  readonly annotations: Texts | undefined;
};

/** Sorted by name; `fprocess` appears twice when the user sets it both ways (OpenFaaS contract, 5.1). */
export const toEnv = ({ ref, envProcess, envVars, annotations }: EnvironmentSource): EnvVar[] => {
  const own = { ...platformVariables(ref, annotations), ...envVars };
  const pairs = Object.entries(own).map(([name, value]) => ({ name, value }));
  if (envProcess) pairs.unshift({ name: 'fprocess', value: envProcess });
  return pairs.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
};

export type ShownEnvironment = { readonly envProcess: string | undefined; readonly envVars: Texts | undefined };

/** The user's part of a container's environment; values that come from elsewhere in the cluster have no text to show. */
export const fromEnv = (env: readonly EnvVar[], ref: FunctionRef, annotations: Texts | undefined): ShownEnvironment => {
  const platform = platformVariables(ref, annotations);
  const first = env.find((each) => each.name === 'fprocess');
  const own = env.filter((each) => each !== first && each.valueFrom === undefined && platform[each.name] !== (each.value ?? ''));
  return {
    envProcess: first?.value || undefined,
    envVars: own.length === 0 ? undefined : Object.fromEntries(own.map(({ name, value }) => [name, value ?? ''])),
  };
};

const watchdogDefaultMs = 30_000;

/**
 * Seconds from SIGTERM to SIGKILL. A watchdog first goes on serving for `healthcheck_interval` (`write_timeout` unless set),
 * then finishes its calls within `write_timeout`; two seconds are left for its own end. `write_timeout` 30s: 62.
 */
export const gracePeriodSeconds = (env: readonly EnvVar[]): number => {
  const duration = (name: string): number | undefined => {
    const ms = parseDuration(env.findLast((each) => each.name === name)?.value ?? '');
    return ms !== undefined && ms >= 0 ? ms : undefined;
  };
  const writeMs = duration('write_timeout') ?? watchdogDefaultMs;
  const intervalMs = duration('healthcheck_interval') ?? writeMs;
  return Math.ceil((writeMs + intervalMs) / 1000) + 2;
};

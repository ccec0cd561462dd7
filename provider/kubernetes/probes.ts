// Readiness and liveness probes of a function's container (OpenFaaS contract, 5.1 and 5.4).

import { parseSeconds } from '../types/annotations.ts';
import { FaasError } from '../types/errors.ts';
import type { Probe, Texts } from './objects.ts';

const defaults = { initialDelaySeconds: 2, timeoutSeconds: 1, periodSeconds: 2, successThreshold: 1, failureThreshold: 3 };

/** Whole seconds, as a number or as a duration such as 30s. */
const seconds = (key: string, text: string): number => {
  const value = parseSeconds(text);
  if (value !== undefined) return value;
  throw new FaasError('invalid', `annotations.${key}: expected a whole number of seconds, got ${JSON.stringify(text)}`);
};

const numbers = (annotations: Texts, prefix: string, keys: readonly (keyof typeof defaults)[]): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const key of keys) {
    // `initialDelay` is the older spelling of one of them.
    for (const name of key === 'initialDelaySeconds' ? [`${prefix}.initialDelay`, `${prefix}.${key}`] : [`${prefix}.${key}`]) {
      const text = annotations[name];
      if (text !== undefined) found[key] = seconds(name, text);
    }
  }
  return found;
};

const health = 'com.openfaas.health.http';
const ready = 'com.openfaas.ready.http';

export const healthPath = (annotations: Texts): string => annotations[`${health}.path`] || '/_/health';
export const readyPath = (annotations: Texts): string => annotations[`${ready}.path`] || healthPath(annotations);

/** @throws invalid for annotations that are no numbers */
export const toProbes = (annotations: Texts, httpProbe: boolean): { readinessProbe: Probe; livenessProbe: Probe } => {
  const action = (path: string): Probe =>
    httpProbe ? { httpGet: { path, port: 8080 } } : { exec: { command: ['cat', '/tmp/.lock'] } };
  const common = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'failureThreshold'] as const;
  return {
    readinessProbe: {
      ...action(readyPath(annotations)),
      ...defaults,
      ...numbers(annotations, ready, [...common, 'successThreshold']),
    },
    // Kubernetes takes no other success threshold than 1 for liveness.
    livenessProbe: { ...action(healthPath(annotations)), ...defaults, ...numbers(annotations, health, common) },
  };
};

// The digest that tells two versions of a function apart.
import { createHash } from 'node:crypto';
import { functionTimeoutMs } from '../types/annotations.ts';
import { parseBundleImage } from '../types/bundle.ts';
import type { FunctionSpec } from '../types/function.ts';

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, canonical(each)]));
};

/**
 * sha256, as hex, of all in a specification that a running process depends on. Labels, most annotations, requests and the
 * image's name do not matter to it: changing those restarts nothing.
 */
export const revisionOf = (spec: FunctionSpec): string => {
  const relevant = {
    name: spec.service,
    namespace: spec.namespace,
    bundle: parseBundleImage(spec.image)?.digest ?? spec.image,
    envProcess: spec.envProcess,
    envVars: spec.envVars ?? {},
    secrets: [...new Set(spec.secrets ?? [])].sort(),
    limits: { memory: spec.limits?.memory || undefined, cpu: spec.limits?.cpu || undefined },
    timeoutMs: functionTimeoutMs(spec.annotations),
  };
  return createHash('sha256')
    .update(JSON.stringify(canonical(relevant)))
    .digest('hex');
};

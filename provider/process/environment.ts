// The environment of a function, built from nothing: the gateway's own never gets in.
import { functionTimeoutMs } from '../types/annotations.ts';
import type { BundleConfig } from '../types/bundle.ts';
import { formatDuration } from '../types/duration.ts';
import type { FunctionSpec } from '../types/function.ts';

export type Place = {
  /** The replica's own directory for temporary files; also its home. */
  readonly temporary: string;
  readonly basePath: string;
  /** Marker by which its processes are found after a crash of the gateway. */
  readonly marker: string;
  /** Directory of its secrets, when they cannot be at /var/openfaas/secrets. */
  readonly secretsPath?: string | undefined;
  /** `exec_timeout` for a function that has no timeout of its own, in ms. */
  readonly defaultTimeoutMs?: number | undefined;
};

export const markerVariable = 'SLUICE_REPLICA';

/** Stronger ones come later: what the machine gives, the bundle's defaults, the deployment, the platform. */
export const toEnvironment = (spec: FunctionSpec, config: BundleConfig, place: Place): Record<string, string> => {
  const own = functionTimeoutMs(spec.annotations);
  const command = spec.envProcess || config.fprocess;
  return {
    PATH: place.basePath,
    HOME: place.temporary,
    TMPDIR: place.temporary,
    LANG: 'C.UTF-8',
    ...(place.defaultTimeoutMs === undefined ? {} : { exec_timeout: formatDuration(place.defaultTimeoutMs) }),
    ...config.environment,
    ...(command === undefined ? {} : { fprocess: command }),
    ...(own === undefined ? {} : { exec_timeout: formatDuration(own) }),
    ...spec.envVars,
    OPENFAAS_NAME: spec.service,
    OPENFAAS_NAMESPACE: spec.namespace,
    ...(place.secretsPath === undefined ? {} : { secret_mount_path: place.secretsPath }),
    [markerVariable]: place.marker,
  };
};

const readAtBoot = /^(NODE_|UV_|LD_|SSL_CERT_|OPENSSL_|MALLOC_|LC_|ICU_)\w*$|^(LANG|LANGUAGE|TZ|GLIBC_TUNABLES)$/;
const readLater = new Set(['NODE_ENV', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG']);

/** The variables that only have an effect when they are there as Node.js starts. */
export const bootVariables = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => readAtBoot.test(name) && !readLater.has(name) && !(name === 'LANG' && value === 'C.UTF-8'),
    ),
  );

/**
 * Flags of every watchdog's Node.js. Left alone, V8 lets the young generation of a busy process grow to 64 MiB and gives
 * nothing of it back: more than all the rest of a small function. With halves of 8 MiB a call costs the same.
 * @param nodeOptions the function's own `NODE_OPTIONS`, which have the last word
 */
export const memoryFlags = (nodeOptions = ''): readonly string[] =>
  /semi[-_]space/.test(nodeOptions) ? [] : ['--max-semi-space-size=8'];

const mebibyte = 2 ** 20;

/**
 * Heap limit in MiB for a function that runs inside Node.js under a memory limit: what Node.js needs beside its heap is
 * left over, so that it collects garbage before it is killed.
 */
export const heapLimitMiB = (memoryBytes: number): number => {
  const limit = Math.floor(memoryBytes / mebibyte);
  return Math.max(16, limit - 40, Math.floor(limit / 2));
};

// Everything the embedded provider can be told, with the values it takes when it is not told.
import { availableParallelism, tmpdir } from 'node:os';
import { defaultMaxBundleBytes } from '../types/bundle.ts';
import type { VersionInfo } from '../types/info.ts';
import type { BackoffPolicy } from './backoff.ts';
import type { Log } from './log.ts';

export type ProcessProviderOptions = {
  /** Durable state; made when it is not there. One gateway at a time. */
  readonly dataDir: string;
  /** Existing directory in which this gateway makes its own for sockets and temporary files; a short path. The system's temporary directory unless told. */
  readonly runDir?: string | undefined;
  /** The bundled watchdog, `dist/watchdog.packed.cjs`. */
  readonly watchdogPath: string;
  /** The Node.js that runs it, `process.execPath`. */
  readonly nodePath: string;
  readonly defaultNamespace: string;
  readonly log: Log;
  /** What a second gateway on the same data directory is told about this one. */
  readonly holder: string;
  /** `PATH` of functions. */
  readonly basePath?: string | undefined;
  /** Pre-booted blank watchdogs; 0 turns the pool off. */
  readonly poolSize?: number | undefined;
  readonly maxBundleBytes?: number | undefined;
  /** Replicas that may be starting at one time. */
  readonly startsAtOnce?: number | undefined;
  /** How long a replica may take until it answers. */
  readonly readyTimeoutMs?: number | undefined;
  /** How long running calls of a replica that goes away may take to finish. */
  readonly drainTimeoutMs?: number | undefined;
  /** From SIGTERM to SIGKILL. */
  readonly killGraceMs?: number | undefined;
  /** `exec_timeout` of functions without a `sluice.dev/timeout`; the watchdog's own default unless told. */
  readonly defaultTimeoutMs?: number | undefined;
  readonly backoff?: BackoffPolicy | undefined;
  /** ms since 1970 */
  readonly now?: (() => number) | undefined;
  readonly version?: VersionInfo | undefined;
  /** False runs functions under this process's own account even as root. */
  readonly isolate?: boolean | undefined;
};

export type Settings = {
  readonly [Key in Exclude<keyof ProcessProviderOptions, 'defaultTimeoutMs'>]-?: Exclude<ProcessProviderOptions[Key], undefined>;
} & Pick<ProcessProviderOptions, 'defaultTimeoutMs'>;

export const defaultBackoff: BackoffPolicy = { stableMs: 10_000, firstMs: 500, factor: 2, maxMs: 30_000 };

/** The options with every default filled in. */
export const toSettings = (options: ProcessProviderOptions): Settings => ({
  dataDir: options.dataDir,
  runDir: options.runDir ?? tmpdir(),
  watchdogPath: options.watchdogPath,
  nodePath: options.nodePath,
  defaultNamespace: options.defaultNamespace,
  log: options.log,
  holder: options.holder,
  basePath: options.basePath ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  poolSize: options.poolSize ?? 2,
  maxBundleBytes: options.maxBundleBytes ?? defaultMaxBundleBytes,
  startsAtOnce: options.startsAtOnce ?? 2 * availableParallelism(),
  readyTimeoutMs: options.readyTimeoutMs ?? 60_000,
  drainTimeoutMs: options.drainTimeoutMs ?? 30_000,
  killGraceMs: options.killGraceMs ?? 5_000,
  defaultTimeoutMs: options.defaultTimeoutMs,
  backoff: options.backoff ?? defaultBackoff,
  now: options.now ?? Date.now,
  version: options.version ?? { sha: 'unknown', release: 'dev' },
  isolate: options.isolate ?? true,
});

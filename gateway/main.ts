// The gateway's parts list: configuration → log → credentials → provider → table → invoker → control API → listeners.
// The only file that knows them all, and the only one that names a provider.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Provider } from '../provider/provider.ts';
import type { VersionInfo } from '../provider/types/info.ts';
import { createApp } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { type Credentials, keepCredentials, readCredentials, sweepCredentials } from './credentials.ts';
import { authorize } from './http/authorize.ts';
import { basicAuth, noAuth } from './http/basic-auth.ts';
import { createCallLog } from './http/call-log.ts';
import { createFunctionHandler } from './invoke/http.ts';
import { createInvoker } from './invoke/invoke.ts';
import { createFunctionTable } from './invoke/table.ts';
import { isFunctionPath } from './invoke/target.ts';
import { toListenError, toUrl } from './listen.ts';
import { createLog, type Log } from './log.ts';
import { createFunctionMetrics, type FunctionMetrics } from './metrics/function-series.ts';
import { createControlMetrics } from './metrics/registry.ts';
import { type MetricsParts, startMetricsServer } from './metrics/server.ts';
import { createActivator } from './scale/activate.ts';
import { createSignals } from './scale/signals.ts';
import { createZero } from './scale/zero.ts';
import { createServer, type GatewayServer } from './server.ts';
import { findPackageRoot, readVersion } from './version.ts';

type Env = Readonly<Record<string, string | undefined>>;

export type GatewayOptions = {
  readonly argv: readonly string[];
  readonly env: Env;
  /** Log lines go to standard error unless told. */
  readonly log?: Log;
  /** The provider that the configuration names unless told. */
  readonly openProvider?: (parts: ProviderParts) => Promise<Provider>;
};

export type ProviderParts = {
  readonly config: Config;
  readonly env: Env;
  readonly version: VersionInfo;
  readonly log: Log;
};

export type Gateway = {
  /** Reaches the gateway from this machine. */
  readonly url: string;
  readonly metricsUrl: string;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Absent when the gateway is not protected. */
  readonly credentials: Credentials | undefined;
  /** Not ready any more, running calls finish within the drain time, everything is closed. Never rejects for a slow call. */
  close(): Promise<void>;
};

const openCredentials = async (config: Config, log: Log): Promise<Credentials | undefined> => {
  if (!config.basicAuth) {
    log.warn('basic_auth is false: everybody who reaches this port may deploy, read and delete functions and secrets');
    return undefined;
  }
  if (config.secretMountPath !== '') return readCredentials(config.secretMountPath);
  await sweepCredentials(config.dataDir);
  return keepCredentials(config.dataDir);
};

const openProcessProvider = async ({ config, env, version, log }: ProviderParts): Promise<Provider> => {
  const { createProcessProvider } = await import('../provider/process/index.ts');
  const runtimeDir = env.XDG_RUNTIME_DIR;
  // Root's own directory is closed to the accounts that root's functions run under.
  const useRuntimeDir = runtimeDir !== undefined && process.getuid?.() !== 0 && existsSync(runtimeDir);
  return createProcessProvider({
    dataDir: config.dataDir,
    runDir: useRuntimeDir ? runtimeDir : undefined,
    watchdogPath: join(findPackageRoot(), 'dist', 'watchdog.packed.cjs'),
    nodePath: process.execPath,
    defaultNamespace: config.functionNamespace,
    log: log.child({ part: 'provider' }),
    holder: config.port === 0 ? `process ${process.pid}` : `process ${process.pid}, ${toUrl(config.host, config.port)}`,
    poolSize: config.poolSize,
    maxBundleBytes: config.maxBundleBytes,
    drainTimeoutMs: config.drainTimeoutMs,
    defaultTimeoutMs: config.upstreamTimeoutMs,
    version,
  });
};

const openKubernetesProvider = async ({ config, env, version, log }: ProviderParts): Promise<Provider> => {
  // Why only here: the client library takes a quarter of a second and 50 MB.
  const { createKubernetesProvider } = await import('../provider/kubernetes/index.ts');
  const { imagePullPolicy, httpProbe, setNonRootUser } = config;
  return createKubernetesProvider({
    kubeconfig: config.kubeconfig,
    serviceHost: env.KUBERNETES_SERVICE_HOST,
    home: env.HOME || homedir(),
    defaultNamespace: config.functionNamespace,
    profilesNamespace: config.profilesNamespace,
    pods: { imagePullPolicy, httpProbe, setNonRootUser },
    reach: config.reach,
    log: log.child({ part: 'provider' }),
    version,
  });
};

const openConfiguredProvider = (parts: ProviderParts): Promise<Provider> =>
  parts.config.provider === 'kubernetes' ? openKubernetesProvider(parts) : openProcessProvider(parts);

type CallParts = { readonly provider: Provider; readonly config: Config; readonly metrics: FunctionMetrics; readonly log: Log };

/** Table, waking, going to zero, invoker: everything that a call passes through. */
const openInvocationPath = async (
  { provider, config, metrics, log }: CallParts,
  release: string,
  resources: AsyncDisposableStack,
) => {
  const table = createFunctionTable({ limits: config, countsOf: metrics.of });
  // In this order: a new entry of the table takes the counts that the metrics have made for it.
  provider.watch(metrics.observer);
  provider.watch(table);
  await table.whenSynced();
  const { upstreamTimeoutMs, maxWaitingCalls: maxWaiting } = config;
  const onOrder = (key: string): void => metrics.scaled(key, 'call');
  const activator = createActivator({ table, provider, waitLimitMs: upstreamTimeoutMs, maxWaiting, onOrder });
  resources.defer(() => activator.close());
  const zero = createZero({
    table,
    provider,
    settings: config,
    everyMs: config.idleCheckMs,
    onZero: (key) => metrics.scaled(key, 'idle'),
    onError: (entry, error) => log.warn({ fn: entry.key, err: error }, 'an idle function could not be put to zero'),
  });
  resources.defer(() => zero.close());
  const signals = createSignals({ table });
  resources.defer(() => signals.close());
  // Who asks for this log wants it whatever else is to be told.
  const callLog = createCallLog(config.accessLog, log.child({ part: 'call' }, { level: 'info' }));
  const invoker = createInvoker({ table, provider, activator, upstreamTimeoutMs, callLog });
  resources.defer(() => invoker.close());
  return { table, handler: createFunctionHandler({ invoker, defaultNamespace: config.functionNamespace, version: release }) };
};

const listen = async (server: GatewayServer, config: Config, resources: AsyncDisposableStack) => {
  const { host, port } = config;
  const bound = await server.listen({ host, port }).catch(async (error: unknown) => {
    throw await toListenError(error, host, port, 'port');
  });
  resources.defer(() => server.close({ drainMs: config.drainTimeoutMs }));
  return bound.port;
};

const listenForMetrics = async (parts: MetricsParts, { host, metricsPort }: Config, resources: AsyncDisposableStack) => {
  const server = await startMetricsServer(parts, host, metricsPort).catch(async (error: unknown) => {
    throw await toListenError(error, host, metricsPort, 'metrics-port');
  });
  resources.defer(() => server.close());
  return server;
};

const appSettings = (config: Config, credentials: Credentials | undefined, log: Log) => ({
  authenticate: credentials === undefined ? noAuth : basicAuth(credentials),
  authorize,
  defaultNamespace: config.functionNamespace,
  maxBundleBytes: config.maxBundleBytes,
  readTimeoutMs: config.readTimeoutMs,
  log: log.child({ part: 'control' }),
});

/**
 * @throws invalid for bad settings, all at once; conflict naming the holder of a port or of the data directory. Nothing that
 *   was begun is left behind.
 */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const config = readConfig(options.argv, options.env);
  const version = readVersion();
  await using starting = new AsyncDisposableStack();
  const log = options.log ?? createLog(config, starting);
  const openProvider = options.openProvider ?? openConfiguredProvider;
  const provider = await openProvider({ config, env: options.env, version, log });
  starting.defer(() => provider.close());
  // Only now is the data directory ours alone.
  const credentials = await openCredentials(config, log);

  const functions = createFunctionMetrics();
  const control = createControlMetrics(version.release, provider.staleMs);
  starting.defer(() => control.close());
  const calls = { provider, config, metrics: functions, log };
  const { table, handler } = await openInvocationPath(calls, version.release, starting);
  const stopping = new AbortController();
  const app = createApp({
    ...appSettings(config, credentials, log),
    provider,
    version,
    countOf: functions.countOf,
    timeoutsOf: (key) => table.get(key)?.timeouts,
    observe: control.observe,
    scaled: functions.scaled,
    stopping: stopping.signal,
  });
  const metrics = await listenForMetrics({ functions, control }, config, starting);
  const server = createServer({ functions: handler, control: app, isFunctionPath, headersTimeoutMs: config.readTimeoutMs });
  const port = await listen(server, config, starting);
  starting.defer(async () => {
    stopping.abort();
    server.retire();
    if (config.shutdownDelayMs > 0) await sleep(config.shutdownDelayMs);
  });

  const url = toUrl(config.host, port);
  const metricsUrl = toUrl(config.host, metrics.port);
  log.info({ url, metricsUrl, dataDir: config.dataDir, version: version.release }, 'gateway is ready');
  const running = starting.move();
  let closed: Promise<void> | undefined;
  return {
    url,
    metricsUrl,
    host: config.host,
    port,
    dataDir: config.dataDir,
    credentials,
    close() {
      closed ??= running.disposeAsync();
      return closed;
    },
  };
};

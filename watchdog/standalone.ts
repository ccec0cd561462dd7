// A watchdog that was started alone, as of-watchdog is in an image: configured by its environment, on a port of its own,
// with metrics on another and a lock file for health checks.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { listenBacklog } from '../provider/types/backlog.ts';
import { formatDuration } from '../provider/types/duration.ts';
import { type Config, type Environment, readConfig } from './config.ts';
import { Front } from './front.ts';
import { createLife } from './life.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics, sendMetrics } from './metrics.ts';
import { createServer } from './node-http.ts';
import { createRunner } from './runners/create-runner.ts';
import type { Runner } from './runners/runner.ts';
import { StartError } from './start-error.ts';

const lockPath = (config: Config): string => join(config.temporaryDir, '.lock');

/** Says why on stderr when not. @throws StartError when the rest of the configuration is bad */
export const isLocked = (env: Environment): boolean => {
  const path = lockPath(readConfig(env, 'standalone'));
  if (existsSync(path)) return true;
  process.stderr.write(`unable to find lock file ${path}\n`);
  return false;
};

const listen = (server: Server, port: number, name: string, exitCode: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new StartError('Invalid', `${name} ${port}: ${cause.message}`, { exitCode, cause })));
    server.listen({ port, backlog: listenBacklog }, () => resolve((server.address() as AddressInfo).port));
  });

const createMetricsServer = (metrics: Metrics, front: Front): Server =>
  createServer({ requestTimeout: 5000, headersTimeout: 5000, connectionsCheckingInterval: 5000 }, (request, response) => {
    if (request.url?.split('?', 1)[0] === '/metrics') sendMetrics(response, metrics, front.inFlight);
    else response.writeHead(404, { 'Content-Length': 0 }).end();
  });

const writeLock = (config: Config): void => {
  try {
    writeFileSync(lockPath(config), '', { mode: 0o660 });
  } catch (cause) {
    throw new StartError('Invalid', `lock file: ${(cause as Error).message}; suppress_lock=true does without`, { cause });
  }
};

const introduce = (config: Config, log: Log): void => {
  const limit = (ms: number): string => (ms === 0 ? 'none' : formatDuration(ms));
  log(`Mode: ${config.mode}${config.fprocess.length === 0 ? '' : `, fprocess: ${config.fprocess.join(' ')}`}`);
  log(
    `Timeouts: read: ${limit(config.readTimeoutMs)} write: ${limit(config.writeTimeoutMs)} ` +
      `hard: ${limit(config.execTimeoutMs)} health: ${limit(config.healthcheckIntervalMs)}`,
  );
};

/** @throws StartError with the exit code of what went wrong */
export const startStandalone = async (env: NodeJS.ProcessEnv, version: string): Promise<void> => {
  const log = createLog((text) => void process.stderr.write(text));
  log(`Version: ${version}`);
  const config = readConfig(env, 'standalone');
  introduce(config, log);
  const metrics = createMetrics();
  const front = new Front({ log, metrics, healthy: () => config.suppressLock || existsSync(lockPath(config)) });
  let runner: Runner | undefined;
  const life = createLife({ front, runner: () => runner, printError: log });
  const removeLock = (): void => {
    if (!config.suppressLock) rmSync(lockPath(config), { force: true });
  };
  process.on('exit', removeLock);

  runner = await createRunner({
    config,
    root: process.cwd(),
    env: { ...env },
    start: 'standalone',
    printError: log,
    onDeath: (error) => life.die(error),
    waitUntilReady: false,
  });
  const metricsServer = createMetricsServer(metrics, front);
  log(`Metrics listening on port: ${await listen(metricsServer, config.metricsPort, 'metrics_port', 2)}`);
  log(`Listening on port: ${await listen(front.server, config.port, 'port', 1)}`);
  if (!config.suppressLock) writeLock(config);
  front.serve(config, runner);

  const stop = async (): Promise<void> => {
    log(`Stopping: no new calls in ${formatDuration(config.healthcheckIntervalMs)}, ${front.inFlight} running`);
    removeLock();
    const cut = await life.stop(config.healthcheckIntervalMs, config.writeTimeoutMs);
    log(`Stopped; calls cut: ${cut}`);
    process.exit(0);
  };
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping) void stop();
      stopping = true;
    });
  }
};

// The embedded provider: functions as child processes of the gateway on this machine. This file is its parts list.
import { createHash } from 'node:crypto';
import { access, constants, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Provider } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { BundleStore } from './bundles/bundles.ts';
import { createBundles } from './bundles/create-bundles.ts';
import { toMarker } from './child.ts';
import { type BundleCollector, createBundleCollector } from './collect.ts';
import { markerVariable } from './environment.ts';
import { createFunctions, type Functions } from './functions.ts';
import { createHub, type Hub } from './hub.ts';
import { detectIsolation, type Isolation, isOpenToAll } from './isolation.ts';
import { createLauncher, mountPlace } from './launcher.ts';
import { detectLimits } from './limits/detect.ts';
import type { Limits } from './limits/limits.ts';
import { createOrphanKiller, killMarked } from './limits/orphans.ts';
import { createLogRing } from './log-ring.ts';
import { createNamespaces } from './namespaces.ts';
import { type ProcessProviderOptions, type Settings, toSettings } from './options.ts';
import { openOwners } from './owners.ts';
import { createPool, type Pool } from './pool.ts';
import { readLogs } from './read-logs.ts';
import { removeTree } from './remove-tree.ts';
import { makeRunDir } from './run-dir.ts';
import { createSecrets } from './secrets.ts';
import { createSpawner } from './spawner/spawner.ts';
import { createStarts } from './starts.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';

export type { ProcessProviderOptions } from './options.ts';

/** Closes what was opened, the last first, whatever fails on the way. */
const createUndo = (log: Settings['log']) => {
  const steps: { what: string; undo: () => Promise<unknown> }[] = [];
  return {
    add: (what: string, undo: () => Promise<unknown>): void => void steps.push({ what, undo }),
    run: async (): Promise<void> => {
      for (const { what, undo } of steps.splice(0).reverse()) {
        await undo().catch((error) => log.error({ err: error }, `${what} could not be closed cleanly`));
      }
    },
  };
};

const checkWatchdog = (path: string): Promise<void> =>
  access(path, constants.R_OK).catch((error) => {
    throw new FaasError('invalid', `watchdog: expected a readable file at ${path}; build it with npm run build`, {
      cause: error,
    });
  });

/** What the processes of this data directory are known by, from one gateway on it to the next. */
const instanceOf = async (dataDir: string): Promise<string> => {
  const digest = createHash('sha256').update(await realpath(dataDir));
  return digest.digest('hex').slice(0, 10);
};

/** Files that other users cannot reach are mounted where they can. */
const findBinds = async (settings: Settings, isolation: Isolation, runDir: string): Promise<[string, string][]> => {
  if (isolation.users?.mounts !== true) return [];
  const binds: [string, string][] = [];
  for (const path of [settings.nodePath, settings.watchdogPath]) {
    if (await isOpenToAll(path)) continue;
    const place = mountPlace(runDir, path);
    await mkdir(dirname(place), { recursive: true, mode: 0o755 });
    await writeFile(place, '');
    binds.push([path, place]);
  }
  return binds;
};

type Undo = ReturnType<typeof createUndo>;

type Ground = { readonly instance: string; readonly isolation: Isolation; readonly limits: Limits; readonly runDir: string };

/** All that starts processes. */
const openStarts = async (settings: Settings, { instance, isolation, limits, runDir }: Ground, undo: Undo) => {
  const { nodePath, watchdogPath, log } = settings;
  const binds = await findBinds(settings, isolation, runDir);
  const nodeDir = dirname(binds.find(([original]) => original === nodePath)?.[1] ?? nodePath);
  const basePath = `${nodeDir}:${settings.basePath}`;
  const spawner = await createSpawner({
    nodePath,
    runDir,
    log,
    onHelper: limits.holdBack,
    environment: { PATH: basePath, [markerVariable]: toMarker(instance, 'spawner') },
  });
  undo.add('the spawner', () => spawner.close());
  const launcher = createLauncher({ spawner, runDir, instance, nodePath, watchdogPath, basePath, isolation, limits, binds });
  const starts = createStarts(settings.startsAtOnce);
  const pool = createPool({ size: settings.poolSize, launcher, log, busy: () => starts.running() > 0 });
  undo.add('blank watchdogs', () => pool.close());
  return { launcher, starts, pool, basePath };
};

type Parts = {
  readonly settings: Settings;
  readonly store: Store;
  readonly functions: Functions;
  readonly bundles: BundleStore;
  readonly hub: Hub;
  readonly pool: Pool;
  readonly limits: Limits;
  readonly isolation: Isolation;
};

/** The parts as the gateway sees them. */
const toProvider = (parts: Parts, closeParts: () => Promise<void>): Provider => {
  const { settings, store, functions, bundles, hub, pool, limits, isolation } = parts;
  const { log, now } = settings;
  let closed: Promise<void> | undefined;
  return {
    deploy: (spec) => functions.deploy(spec),
    update: (spec) => functions.update(spec),
    remove: (ref) => functions.remove(ref),
    scale: (ref, replicas) => functions.scale(ref, replicas),
    doze: (ref) => functions.doze(ref),
    sleep: (ref, mark) => functions.sleep(ref, mark),
    list: (namespace) => functions.list(namespace),
    get: (ref, options) => functions.get(ref, options),
    secrets: createSecrets({ store, functions, log }),
    namespaces: createNamespaces({ store, functions, bundles, log }),
    bundles,
    logs: (query, signal) => {
      const supervisor = functions.supervisor({ name: query.name, namespace: query.namespace });
      if (supervisor === undefined) {
        throw new FaasError(
          'not-found',
          `function ${JSON.stringify(query.name)} does not exist in namespace ${JSON.stringify(query.namespace)}`,
        );
      }
      return readLogs(supervisor.logs, query, signal, now);
    },
    info: async () => ({
      provider: 'sluice-process',
      orchestration: 'process',
      version: settings.version,
      capabilities: { packaging: 'bundle', limits: limits.description, isolation: isolation.description },
    }),
    healthy: () => closed === undefined && store.healthy() && pool.healthy(),
    parksIdle: true,
    watch: (observer) =>
      hub.watch(
        observer,
        [...functions.supervisors()].map((each) => ({ report: each.report(), endpoints: each.endpoints() })),
      ),
    close: () => {
      closed ??= closeParts();
      return closed;
    },
  };
};

/**
 * Brings back every function that the data directory knows, in the background.
 * @throws conflict naming the holder when another gateway uses the data directory; invalid for options that cannot work
 */
export const createProcessProvider = async (options: ProcessProviderOptions): Promise<Provider> => {
  const settings = toSettings(options);
  const undo = createUndo(settings.log);
  try {
    return await assemble(settings, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
};

const assemble = async (settings: Settings, undo: Undo): Promise<Provider> => {
  const { log, now, dataDir } = settings;
  await checkWatchdog(settings.watchdogPath);
  const store = await openStore({ dataDir, defaultNamespace: settings.defaultNamespace, log, holder: settings.holder });
  undo.add('the store', () => store.close());

  const instance = await instanceOf(dataDir);
  const orphans = await killMarked((marker) => marker.startsWith(`${instance}-`));
  if (orphans > 0) log.warn({ processes: orphans }, 'ended processes that a dead gateway left behind');

  const isolation = await detectIsolation({ isolate: settings.isolate, instance, log });
  const { users } = isolation;
  const runDir = await makeRunDir(settings.runDir, instance, users !== undefined);
  undo.add('the run directory', () => removeTree(runDir));
  const limits = await detectLimits({ name: `sluice-${instance}`, orphans: createOrphanKiller() });
  undo.add('limits', () => limits.close());
  const owners = users === undefined ? undefined : await openOwners(dataDir, users.firstId);
  const bundles = createBundles({ dataDir, runDir, maxBytes: settings.maxBundleBytes, log, now });
  await bundles.sweep();

  const { launcher, starts, pool, basePath } = await openStarts(settings, { instance, isolation, limits, runDir }, undo);
  const hub = createHub(log);
  const functions = createFunctions({
    store,
    bundles,
    ownerOf: async (namespace) => {
      const id = await owners?.idOf(namespace);
      return id === undefined ? undefined : { uid: id, gid: id };
    },
    now,
    supervision: {
      events: hub,
      backoff: settings.backoff,
      createLogs: () => createLogRing({ maxLines: 2000, maxBytes: 512 * 1024 }, now),
      log,
      now,
      replicaParts: {
        launcher,
        pool,
        starts,
        secretValue: (name, namespace) => store.secretValue({ name, namespace }),
        secretsMounted: users?.mounts === true,
        basePath,
        defaultTimeoutMs: settings.defaultTimeoutMs,
        readyTimeoutMs: settings.readyTimeoutMs,
        drainTimeoutMs: settings.drainTimeoutMs,
        killGraceMs: settings.killGraceMs,
        now,
      },
    },
  });
  undo.add('functions', () => functions.close());
  const collector: BundleCollector = createBundleCollector({ store, bundles, log, now });
  undo.add('the bundle collector', () => collector.close());
  functions.restore();

  return toProvider({ settings, store, functions, bundles, hub, pool, limits, isolation }, undo.run);
};

// A gateway on the Kubernetes of KUBECONFIG with 500 functions in five namespaces: how soon its table is true, what it holds, what
// it asks of the API server when nothing happens, and how long its event loop is held when all functions change. They are at zero
// replicas, so that any cluster can hold them.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { transform } from 'esbuild';
import { type KubeApi, mergePatch, paths } from '../provider/kubernetes/api.ts';
import { createKubeApi, findCluster } from '../provider/kubernetes/client.ts';
import { toDeployment } from '../provider/kubernetes/deployment.ts';
import { defaultPodSettings } from '../provider/kubernetes/options.ts';
import { toService } from '../provider/kubernetes/service.ts';
import type { FunctionStatus } from '../provider/types/function.ts';
import { onEnd } from '../test/helpers/cleanup.ts';
import { eventually } from '../test/helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../test/helpers/gateway.ts';
import { makeTmpDir } from '../test/helpers/tmp.ts';
import type { Finding } from './aim.ts';
import type { Seen } from './cluster-probe.ts';
import { memory } from './memory.ts';
import { peakBytes } from './proc.ts';
import { createScope, type Scope } from './scope.ts';

type Started = {
  /** From the start of the process until its lists are complete. */
  readonly trueMs: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly seen: Seen;
};

export type ClusterRow = {
  readonly functions: number;
  readonly namespaces: number;
  readonly without: Started;
  readonly withAll: Started;
  readonly idle: Seen & { readonly seconds: number };
  /** Every function is changed once. */
  readonly changes: Seen & { readonly tookMs: number };
  /** After all of that. */
  readonly residentBytes: number;
};

export type ClusterOptions = {
  readonly functions: number;
  readonly namespaces: number;
  readonly idleMs: number;
  readonly kubeconfig: string | undefined;
  progress(line: string): void;
};

type Place = { readonly api: KubeApi; readonly kubeconfig: string; readonly names: readonly string[]; readonly each: number };

const atOnce = 16;
const marker = 'bench-round';

const forEach = async <Item>(items: Iterable<Item>, step: (item: Item) => Promise<unknown>): Promise<void> => {
  const rest = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) await step(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
};

const functionNames = (place: Place): [namespace: string, name: string][] =>
  place.names.flatMap((namespace) =>
    Array.from({ length: place.each }, (_, index): [string, string] => [namespace, `fn-${index}`]),
  );

const removeNamespaces = async ({ api, names }: Place): Promise<void> => {
  const isGone = async (name: string): Promise<boolean> =>
    api.call('GET', paths.namespaces(name)).then(
      () => false,
      (error: { status?: number }) => error.status === 404,
    );
  await forEach(names, (name) => api.call('DELETE', paths.namespaces(name)).catch(() => undefined));
  for (const name of names)
    await eventually(() => isGone(name), { what: `namespace ${name} is gone`, timeoutMs: 300_000, intervalMs: 500 });
};

const makeNamespaces = ({ api, names }: Place): Promise<void> =>
  forEach(names, (name) => {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations: { openfaas: '1' } } };
    return api.call('POST', paths.namespaces(), { body });
  });

/** As a deployment through the gateway makes them, but for the number of replicas. */
const makeFunctions = (place: Place): Promise<void> =>
  forEach(functionNames(place), async ([namespace, service]) => {
    const spec = {
      service,
      namespace,
      image: 'registry.invalid/bench:1',
      envVars: { greeting: 'hello' },
      labels: { team: 'bench' },
    };
    const parts = { spec, secrets: { files: [], pulls: [] }, settings: defaultPodSettings, profiles: [], nonce: '1' };
    const deployment = toDeployment(parts);
    const body = { ...deployment, spec: { ...deployment.spec, replicas: 0 } };
    await place.api.call('POST', paths.deployments(namespace), { body });
    await place.api.call('POST', paths.services(namespace), { body: toService(spec) });
  });

type Watched = { readonly gateway: RunningGateway; readonly trueMs: number; look(): Promise<Seen> };

const countIn = async (
  gateway: RunningGateway,
  namespace: string,
  isRight: (status: FunctionStatus) => boolean,
): Promise<number> => {
  const { status, text } = await gateway.control('GET', `/system/functions?namespace=${namespace}`);
  if (status !== 200) throw new Error(`list of ${namespace}: ${status} ${text}`);
  return (JSON.parse(text) as FunctionStatus[]).filter(isRight).length;
};

/** Resolves when every namespace shows `count` functions that are right. */
const shows = async (
  gateway: RunningGateway,
  place: Place,
  count: number,
  isRight = (_: FunctionStatus) => true,
): Promise<void> => {
  for (const namespace of place.names) {
    const what = `${count} functions of ${namespace} as they should be`;
    await eventually(async () => (await countIn(gateway, namespace, isRight)) === count, {
      what,
      timeoutMs: 60_000,
      intervalMs: 20,
    });
  }
};

const startWatched = async (t: Scope, place: Place, count: number): Promise<Watched> => {
  const dir = await makeTmpDir(t);
  const file = join(dir, 'seen.json');
  // To take its types off there would cost the gateway 20 MB.
  const source = await readFile(new URL('cluster-probe.ts', import.meta.url), 'utf8');
  const probe = join(dir, 'probe.mjs');
  await writeFile(probe, (await transform(source, { loader: 'ts' })).code);
  const startedMs = performance.now();
  const gateway = await startGateway(t, {
    args: ['--provider', 'kubernetes', '--kubeconfig', place.kubeconfig, '--log-level', 'warn'],
    env: { NODE_OPTIONS: `--import=${probe}`, SLUICE_BENCH_SEEN: file },
  });
  await shows(gateway, place, count);
  const trueMs = performance.now() - startedMs;
  return {
    gateway,
    trueMs,
    async look() {
      await rm(file, { force: true });
      process.kill(gateway.program().pid, 'SIGUSR2');
      const read = (): Promise<string> => readFile(file, 'utf8').catch(() => '');
      return JSON.parse(await eventually(read, { what: 'the gateway has told what it saw', timeoutMs: 30_000 }));
    },
  };
};

const describeStart = async ({ gateway, trueMs, look }: Watched): Promise<Started> => {
  const { pid } = gateway.program();
  const seen = await look();
  return { trueMs, residentBytes: (await memory(pid)).rssBytes, peakBytes: await peakBytes(pid), seen };
};

/** Another template and nothing else: at zero replicas Kubernetes makes no pod of it. */
const changeAll = async (place: Place, { gateway, look }: Watched): Promise<ClusterRow['changes']> => {
  await look();
  const startedMs = performance.now();
  const body = { spec: { template: { metadata: { annotations: { [marker]: '2' } } } } };
  await forEach(functionNames(place), ([namespace, name]) =>
    place.api.call('PATCH', paths.deployments(namespace, name), { body, contentType: mergePatch }),
  );
  await shows(gateway, place, place.each, ({ annotations }) => annotations?.[marker] === '2');
  return { tookMs: performance.now() - startedMs, ...(await look()) };
};

const openPlace = async (t: Scope, { kubeconfig, functions, namespaces }: ClusterOptions): Promise<Place> => {
  if (kubeconfig === undefined || kubeconfig === '')
    throw new Error('--only cluster: expected a kubeconfig in KUBECONFIG, it is not set');
  const api = createKubeApi(await findCluster({ kubeconfig, home: homedir() }));
  onEnd(t, () => api.close());
  const names = Array.from({ length: namespaces }, (_, index) => `sluice-bench-${index}`);
  return { api, kubeconfig, names, each: functions / namespaces };
};

export const measureCluster = async (t: Scope, options: ClusterOptions): Promise<ClusterRow> => {
  const { functions, namespaces, idleMs, progress } = options;
  const place = await openPlace(t, options);
  progress('cluster: namespaces');
  await removeNamespaces(place);
  onEnd(t, () => removeNamespaces(place));
  await makeNamespaces(place);
  const first = createScope();
  const without = await startWatched(first, place, 0)
    .then(describeStart)
    .finally(() => first.close());
  progress(`cluster: ${functions} functions`);
  await makeFunctions(place);
  // Kubernetes makes a replica set for each, and notes it in their status.
  await sleep(10_000);
  const watched = await startWatched(t, place, place.each);
  const withAll = await describeStart(watched);
  progress(`cluster: ${idleMs / 1000} s of silence`);
  await sleep(2000);
  await watched.look();
  await sleep(idleMs);
  const idle = { ...(await watched.look()), seconds: idleMs / 1000 };
  progress('cluster: changes');
  const changes = await changeAll(place, watched);
  await sleep(2000);
  const residentBytes = (await memory(watched.gateway.program().pid)).rssBytes;
  return { functions, namespaces, without, withAll, idle, changes, residentBytes };
};

const sumOf = ({ requests }: Seen, isCounted: (key: string) => boolean): number =>
  Object.entries(requests).reduce((sum, [key, count]) => sum + (isCounted(key) ? count : 0), 0);

const isWatch = (key: string): boolean => key.startsWith('watch ');

export const clusterFindings = (row: ClusterRow): Finding[] => {
  const { functions, without, withAll, idle, changes } = row;
  const ms = (what: string, value: number, digits = 0): Finding => ({ what, value, unit: 'ms', digits });
  const megabytes = (what: string, bytes: number, atMost?: number): Finding => ({
    what,
    value: bytes / 1e6,
    unit: 'MB',
    digits: 1,
    ...(atMost === undefined ? {} : { aim: { atMost } }),
  });
  const aMinute = 60 / idle.seconds;
  return [
    ms('start of the process to a true table', withAll.trueMs),
    ms('the same without functions', without.trueMs),
    megabytes('gateway, resident, when the table is true', withAll.residentBytes, 200),
    megabytes('its peak since the start', withAll.peakBytes, 200),
    megabytes('gateway, resident, in the end', row.residentBytes, 200),
    megabytes('gateway, resident, without functions', without.residentBytes),
    { what: 'requests to the API server until then', value: sumOf(withAll.seen, () => true), unit: '', digits: 0 },
    { what: 'of them watches, which stay open', value: sumOf(withAll.seen, isWatch), unit: '', digits: 0 },
    {
      what: 'requests a minute when idle, without watches',
      value: sumOf(idle, (key) => !isWatch(key)) * aMinute,
      unit: '/min',
      digits: 1,
      aim: { atMost: 0 },
    },
    { what: 'watches that begin anew a minute when idle', value: sumOf(idle, isWatch) * aMinute, unit: '/min', digits: 1 },
    ms('longest turn of the event loop, idle', idle.heldMs, 1),
    ms(`${functions} changes until the table has them all`, changes.tookMs),
    ms('longest turn of the event loop, during the changes', changes.heldMs, 1),
    { what: 'turns of more than 10 ms during the changes', value: changes.longTurns, unit: '', digits: 0 },
  ];
};

// One pod, asked whether it answers: against real servers, whatever Kubernetes says of it.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ContainerStatus, Pod } from '../../../provider/kubernetes/objects.ts';
import { probe } from '../../../provider/kubernetes/probe.ts';
import type { PodReach } from '../../../provider/kubernetes/reach.ts';
import { Replica } from '../../../provider/kubernetes/replica.ts';
import { watchdogReadyHeader } from '../../../provider/types/headers.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { podOf } from './rig.ts';

/** A server of a pod's watchdog that can be told what to answer, or to be away. */
const startWatchdog = async (t: TestContext) => {
  const state = { status: 200, headers: {} as Record<string, string>, asked: [] as string[] };
  let port = 0;
  let server: Server | undefined;
  const start = async (): Promise<void> => {
    server = createServer((req, res) => {
      state.asked.push(req.url ?? '');
      res.writeHead(state.status, state.headers).end();
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  };
  await start();
  onEnd(t, stop);
  return { state, start, stop, port: () => port };
};

type Watchdog = Awaited<ReturnType<typeof startWatchdog>>;

const running = (more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'fn',
  restartCount: 0,
  containerID: 'containerd://1',
  state: { running: { startedAt: '2030-01-01T00:00:00Z' } },
  ...more,
});

/** @param ready what Kubernetes thinks of it */
const runningPod = (ready: 'True' | 'False', status: Partial<ContainerStatus> = {}): Pod =>
  podOf('fn', {
    phase: 'Running',
    podIP: '10.0.0.1',
    conditions: [{ type: 'Ready', status: ready }],
    containerStatuses: [running(status)],
  });

const startReplica = (t: TestContext, pod: Pod, port: () => number, now: () => number = Date.now) => {
  const events: string[] = [];
  const released: string[] = [];
  const reach: PodReach = {
    probe,
    routeTo: async () => ({ host: '127.0.0.1', port: port() }),
    release: ({ metadata }) => void released.push(metadata.name),
  };
  const replica = new Replica({
    pod,
    reach,
    now,
    revision: () => 'r1',
    path: () => '/_/health',
    onReady: ({ id }) => void events.push(`ready ${id}`),
    onGone: (id) => void events.push(`gone ${id}`),
  });
  onEnd(t, () => replica.close());
  return { replica, events, released };
};

const saw = (events: readonly string[], ...wanted: readonly string[]): Promise<unknown> =>
  eventually(() => events.join() === wanted.join(), { what: `${wanted.join()}, not ${events.join()}`, timeoutMs: 15_000 });

const setUp = async (t: TestContext, pod = runningPod('False')): Promise<ReturnType<typeof startReplica> & { dog: Watchdog }> => {
  const dog = await startWatchdog(t);
  return { ...startReplica(t, pod, dog.port), dog };
};

test('a pod is used from the moment it answers, whether Kubernetes calls it ready or not', async (t) => {
  const { replica, events, dog } = await setUp(t);
  await saw(events, 'ready fn-1');
  const { start, ...endpoint } = replica.endpoint ?? {};
  assert.deepEqual(endpoint, { id: 'fn-1', revision: 'r1', address: { host: '127.0.0.1', port: dog.port() } });
  const moments = [start?.begunMs, start?.placedMs, start?.bootedMs];
  assert.ok(moments.every(Number.isFinite), JSON.stringify(start));
  assert.deepEqual(
    moments,
    moments.toSorted((a, b) => Number(a) - Number(b)),
    'one after the other',
  );
  assert.equal(dog.state.asked[0], '/_/health');
});

test('a pod without an address is not asked, and one that gets it is', async (t) => {
  const { replica, events, dog } = await setUp(t, podOf('fn', { phase: 'Pending' }));
  assert.equal(dog.state.asked.length, 0);
  replica.update(runningPod('False'));
  await saw(events, 'ready fn-1');
});

test('a pod that refuses at first is asked until it answers', async (t) => {
  const dog = await startWatchdog(t);
  await dog.stop();
  const { replica, events } = startReplica(t, runningPod('False'), dog.port);
  await eventually(() => replica.problem !== undefined, { what: 'the refusal' });
  assert.match(replica.problem ?? '', /ECONNREFUSED/);
  await dog.start();
  await saw(events, 'ready fn-1');
  assert.equal(replica.problem, undefined);
});

test('a watchdog whose function does not listen yet is not used', async (t) => {
  const dog = await startWatchdog(t);
  dog.state.headers = { [watchdogReadyHeader]: 'false' };
  const { replica, events } = startReplica(t, runningPod('True'), dog.port);
  await eventually(() => replica.problem !== undefined, { what: 'the refusal' });
  assert.match(replica.problem ?? '', /does not listen yet/);
  assert.deepEqual(events, []);
  dog.state.headers = {};
  await saw(events, 'ready fn-1');
});

test('what stands on the port and knows no health path is used all the same; one that says 503 is not', async (t) => {
  const dog = await startWatchdog(t);
  dog.state.status = 503;
  const { replica, events } = startReplica(t, runningPod('True'), dog.port);
  await eventually(() => replica.problem === '/_/health answers 503', { what: 'the refusal' });
  dog.state.status = 404;
  await saw(events, 'ready fn-1');
});

test('a pod that Kubernetes calls unready and that answers stays in use', async (t) => {
  const { replica, events, dog } = await setUp(t, runningPod('True'));
  await saw(events, 'ready fn-1');
  const asked = dog.state.asked.length;
  replica.update(runningPod('False'));
  await eventually(() => dog.state.asked.length > asked, { what: 'a question of our own' });
  await eventually(() => replica.problem === undefined, { what: 'its answer' });
  assert.deepEqual(events, ['ready fn-1']);
});

test('a pod that stops answering goes, and is another endpoint when it comes back', async (t) => {
  const { replica, events, dog } = await setUp(t, runningPod('True'));
  await saw(events, 'ready fn-1');
  await dog.stop();
  replica.update(runningPod('False'));
  await saw(events, 'ready fn-1', 'gone fn-1');
  await dog.start();
  await saw(events, 'ready fn-1', 'gone fn-1', 'ready fn-1/1');
});

test('a pod that is deleted goes at once, though it answers, and its route is given back', async (t) => {
  const { replica, events, released } = await setUp(t, runningPod('True'));
  await saw(events, 'ready fn-1');
  const pod = runningPod('True');
  replica.update({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2030-01-01T00:01:00Z' } });
  assert.deepEqual(events, ['ready fn-1', 'gone fn-1']);
  assert.equal(released.at(-1), 'fn-1');
  assert.equal(replica.endpoint, undefined);
});

test('a container that ended takes the pod out at once, and its next run is another endpoint', async (t) => {
  const { replica, events } = await setUp(t, runningPod('True'));
  await saw(events, 'ready fn-1');
  replica.update(runningPod('False', { state: { terminated: { exitCode: 1 } } }));
  assert.equal(events[1], 'gone fn-1');
  replica.update(runningPod('False', { restartCount: 1, containerID: 'containerd://2' }));
  await eventually(() => events.at(-1)?.startsWith('ready fn-1/') && replica.endpoint !== undefined, { what: 'the next run' });
});

test('a failed pod is not asked any more', async (t) => {
  const { replica, events, dog } = await setUp(t, runningPod('True'));
  await saw(events, 'ready fn-1');
  replica.update(podOf('fn', { phase: 'Failed', podIP: '10.0.0.1' }));
  assert.deepEqual(events, ['ready fn-1', 'gone fn-1']);
  const asked = dog.state.asked.length;
  replica.update(podOf('fn', { phase: 'Failed', podIP: '10.0.0.1' }));
  assert.equal(dog.state.asked.length, asked);
});

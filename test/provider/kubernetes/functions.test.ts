// What observers are told while Deployments, pods and our own writes come in, in any order.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Functions } from '../../../provider/kubernetes/functions.ts';
import { createHub } from '../../../provider/kubernetes/hub.ts';
import type { Deployment, Pod } from '../../../provider/kubernetes/objects.ts';
import type { ProbeResult } from '../../../provider/kubernetes/probe.ts';
import type { PodReach } from '../../../provider/kubernetes/reach.ts';
import type { FunctionReport } from '../../../provider/provider.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { namespace } from './rig.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const ref = { name: 'fn', namespace };

type Facts = {
  readonly uid?: string;
  readonly version?: number;
  readonly generation?: number;
  readonly image?: string;
  readonly replicas?: number;
};

const deploymentOf = ({ uid = 'd1', version = 10, generation = 1, image = 'fn:1', replicas = 1 }: Facts = {}): Deployment => ({
  metadata: {
    name: 'fn',
    namespace,
    uid,
    resourceVersion: String(version),
    generation,
    creationTimestamp: uid === 'd1' ? '2030-01-01T00:00:00Z' : '2030-01-01T01:00:00Z',
    labels: { faas_function: 'fn' },
  },
  spec: {
    replicas,
    selector: { matchLabels: { faas_function: 'fn' } },
    template: { metadata: { labels: { faas_function: 'fn', image } }, spec: { containers: [{ name: 'fn', image }] } },
  },
});

type PodFacts = { readonly image?: string; readonly created?: string; readonly status?: Pod['status'] };

const podOf = (uid: string, { image = 'fn:1', created = '2030-01-01T00:00:01Z', status }: PodFacts = {}): Pod => ({
  metadata: {
    name: `fn-${uid}`,
    namespace,
    uid,
    creationTimestamp: created,
    labels: { faas_function: 'fn', image, 'pod-template-hash': image.replace(':', '') },
  },
  spec: { containers: [{ name: 'fn', image }] },
  status: status ?? { phase: 'Running', podIP: '10.0.0.1' },
});

const setUp = (t: TestContext) => {
  const events: string[] = [];
  const reports: FunctionReport[] = [];
  const open = new Set([namespace]);
  const state = { result: { kind: 'ready' } as ProbeResult, nowMs: Date.parse('2030-01-01T00:02:00Z') };
  const reach: PodReach = {
    probe: async () => state.result,
    routeTo: async (_pod, host) => ({ host, port: 8080 }),
    release: () => undefined,
  };
  const hub = createHub(quiet);
  hub.watch(
    {
      functionChanged: (report) => {
        reports.push(report);
        events.push(`changed ${report.ref.name} ${report.replicas}`);
      },
      functionRemoved: ({ name }) => void events.push(`removed ${name}`),
      endpointReady: (_ref, { id }) => void events.push(`ready ${id}`),
      endpointGone: async (_ref, id) => void events.push(`gone ${id}`),
      synced: () => undefined,
    },
    [],
  );
  const functions = new Functions({ hub, reach, now: () => state.nowMs, isOpen: (name) => open.has(name) });
  onEnd(t, () => functions.close());
  const happened = (...wanted: string[]): Promise<unknown> =>
    eventually(() => events.join() === wanted.join(), { what: `${wanted.join()}, got ${events.join()}` });
  return { functions, events, reports, open, state, happened };
};

const conditionOf = (functions: Functions, type: string) =>
  functions
    .get(ref)
    ?.status()
    ?.conditions?.find((each) => each.type === type) ?? assert.fail(`no condition ${type}`);

test('a function comes before its endpoints, and its endpoints go before it', async (t) => {
  const { functions, happened } = setUp(t);
  functions.pods.changed(podOf('a'));
  functions.deployments.changed(deploymentOf());
  await happened('changed fn 1', 'ready fn-a');
  functions.deployments.removed(deploymentOf());
  await happened('changed fn 1', 'ready fn-a', 'gone fn-a', 'removed fn');
  assert.equal(functions.get(ref), undefined);
});

test('a write of ours is seen at once, and older news of the watch do not undo it', async (t) => {
  const { functions, events } = setUp(t);
  functions.deployments.changed(deploymentOf());
  functions.wrote(deploymentOf({ version: 20, generation: 2, replicas: 5 }));
  functions.deployments.changed(deploymentOf({ version: 15, generation: 1, replicas: 2 }));
  assert.deepEqual(events, ['changed fn 1', 'changed fn 5']);
  functions.deployments.changed(deploymentOf({ version: 21, generation: 3, replicas: 3 }));
  assert.equal(events.at(-1), 'changed fn 3');
});

test('a removal of ours is seen at once, and a late word of the watch does not bring it back', async (t) => {
  const { functions, events } = setUp(t);
  functions.wrote(deploymentOf());
  functions.dropped(ref, 'd1');
  functions.deployments.changed(deploymentOf({ version: 12 }));
  functions.deployments.removed(deploymentOf({ version: 13 }));
  assert.deepEqual(events, ['changed fn 1', 'removed fn']);
});

test('pods of a function that was removed are not those of the next one of its name', async (t) => {
  const { functions, events, happened } = setUp(t);
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(podOf('old'));
  await happened('changed fn 1', 'ready fn-old');
  functions.dropped(ref, 'd1');
  functions.wrote(deploymentOf({ uid: 'd2', version: 30 }));
  functions.pods.changed(podOf('old'));
  functions.pods.changed(podOf('older', { created: '2030-01-01T00:30:00Z' }));
  functions.pods.changed(podOf('new', { created: '2030-01-01T01:00:00Z' }));
  await happened('changed fn 1', 'ready fn-old', 'gone fn-old', 'removed fn', 'changed fn 1', 'ready fn-new');
  functions.deployments.removed(deploymentOf());
  assert.equal(events.at(-1), 'ready fn-new', 'the late end of the first one is not that of the second');
});

test('a list that is older than a function we made does not take it away; a newer one does', async (t) => {
  const { functions, events } = setUp(t);
  functions.wrote(deploymentOf({ version: 20 }));
  functions.deployments.replaced([], '15');
  assert.deepEqual(events, ['changed fn 1']);
  functions.deployments.replaced([], '25');
  assert.deepEqual(events, ['changed fn 1', 'removed fn']);
});

test('pods that a new list lacks are gone', async (t) => {
  const { functions, happened } = setUp(t);
  functions.deployments.changed(deploymentOf({ replicas: 2 }));
  functions.pods.replaced([podOf('a'), podOf('b')], '11');
  await happened('changed fn 2', 'ready fn-a', 'ready fn-b');
  functions.pods.replaced([podOf('b')], '12');
  await happened('changed fn 2', 'ready fn-a', 'ready fn-b', 'gone fn-a');
});

test('functions come and go with the openness of their namespace', async (t) => {
  const { functions, events, open, happened } = setUp(t);
  open.clear();
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(podOf('a'));
  assert.deepEqual(events, []);
  open.add(namespace);
  functions.reconsider();
  await happened('changed fn 1', 'ready fn-a');
  open.clear();
  functions.reconsider();
  await happened('changed fn 1', 'ready fn-a', 'gone fn-a', 'removed fn');
});

test('endpoints of an update carry its revision, and those of the version before keep theirs', async (t) => {
  const { functions, reports, happened } = setUp(t);
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(podOf('a'));
  await happened('changed fn 1', 'ready fn-a');
  functions.deployments.changed(deploymentOf({ version: 11, generation: 2, image: 'fn:2' }));
  functions.pods.changed(podOf('b', { image: 'fn:2' }));
  await happened('changed fn 1', 'ready fn-a', 'changed fn 1', 'ready fn-b');
  const [first, second] = functions.get(ref)?.endpoints() ?? [];
  assert.deepEqual([first?.revision, second?.revision], [reports[0]?.revision, reports[1]?.revision]);
  assert.notEqual(first?.revision, second?.revision);
});

test('what failed is reported to callers only while no replica answers', async (t) => {
  const { functions, reports, happened } = setUp(t);
  const message = 'exit\nboom at load\n';
  const broken = {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'fn',
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 3, message } },
      },
    ],
  };
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(podOf('a', { status: broken }));
  assert.equal(reports.at(-1)?.failure?.reason, 'CrashLoop');
  assert.match(reports.at(-1)?.failure?.message ?? '', /exited with code 3 2 times; its last lines: exit \| boom at load/);
  functions.pods.changed(podOf('b'));
  await happened('changed fn 1', 'changed fn 1', 'ready fn-b', 'changed fn 1');
  assert.equal(reports.at(-1)?.failure, undefined);
  assert.deepEqual([conditionOf(functions, 'Ready').status, conditionOf(functions, 'Healthy').reason], ['True', 'CrashLoop']);
});

test('the cause of a failed pull stays while Kubernetes only waits for the next try', async (t) => {
  const { functions, reports } = setUp(t);
  const waiting = (reason: string, message: string): Pod =>
    podOf('a', { status: { containerStatuses: [{ name: 'fn', state: { waiting: { reason, message } } }] } });
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(waiting('ErrImagePull', 'manifest for fn:1 not found'));
  functions.get(ref)?.status();
  functions.pods.changed(waiting('ImagePullBackOff', 'Back-off pulling image "fn:1"'));
  assert.deepEqual(reports.at(-1)?.failure, { reason: 'ImagePullFailed', message: 'ErrImagePull: manifest for fn:1 not found' });
});

test('a pod that has been running for long and does not answer is shown with our own question and its answer', async (t) => {
  const { functions, state } = setUp(t);
  state.result = { kind: 'refused', detail: '/_/health answers 503' };
  const since = (startedAt: string): Pod['status'] => ({
    phase: 'Running',
    podIP: '10.0.0.1',
    containerStatuses: [{ name: 'fn', restartCount: 0, state: { running: { startedAt } } }],
  });
  functions.deployments.changed(deploymentOf());
  functions.pods.changed(podOf('a', { status: since('2030-01-01T00:01:50Z') }));
  await eventually(() => /answers 503/.test(conditionOf(functions, 'Ready').message), { what: 'the answer' });
  assert.equal(conditionOf(functions, 'Ready').reason, 'Starting');
  functions.pods.changed(podOf('a', { status: since('2030-01-01T00:01:18Z') }));
  const { status, reason, message } = conditionOf(functions, 'Ready');
  assert.deepEqual([status, reason], ['False', 'ProbeFailed']);
  assert.match(message, /pod fn-a has been running for 42s and does not answer: \/_\/health answers 503/);
  assert.deepEqual(
    functions
      .get(ref)
      ?.silentPods()
      .map(({ metadata }) => metadata.name),
    ['fn-a'],
  );
});

test('those who look at pods are told of every change of theirs', (t) => {
  const told: string[] = [];
  const hub = createHub(quiet);
  const reach: PodReach = {
    probe: async () => ({ kind: 'ready' }),
    routeTo: async (_pod, host) => ({ host, port: 8080 }),
    release: () => undefined,
  };
  const functions = new Functions({ hub, reach, now: Date.now, isOpen: () => true, onPod: ({ name }) => void told.push(name) });
  onEnd(t, () => functions.close());
  functions.pods.changed(podOf('a'));
  assert.deepEqual([told, functions.podsOf(ref).length], [['fn'], 1]);
  functions.pods.removed(podOf('a'));
  assert.deepEqual([told, functions.podsOf(ref).length], [['fn', 'fn'], 0]);
});

// What is asked of Kubernetes only when somebody wants to know a function in detail: usage, and why its pods do not answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeEvent, KubeObject, Pod } from '../../../provider/kubernetes/objects.ts';
import { newestWarning, withWarning } from '../../../provider/kubernetes/warnings.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collections, namespace, podOf, type Rig, startRig } from './rig.ts';

const ref = { name: 'fn', namespace };

const deployed = async (rig: Rig, pod: Pod): Promise<void> => {
  await rig.provider.deploy({ service: 'fn', namespace, image: 'fn:1' });
  rig.api.put(pod, collections.pods);
};

/** As metrics-server gives it. */
const metrics = (pod: string, ...usage: { cpu: string; memory: string }[]): KubeObject =>
  ({
    metadata: { name: pod, namespace, labels: { faas_function: 'fn' } },
    timestamp: '2030-01-01T00:00:00Z',
    window: '15.6s',
    containers: usage.map((each, index) => ({ name: index === 0 ? 'fn' : 'proxy', usage: each })),
  }) as unknown as KubeObject;

/** As kubelets write them. */
const event = (reason: string, message: string, more: Partial<KubeEvent> & { uid?: string } = {}): KubeEvent => {
  const { uid = 'uid-x', ...fields } = more;
  return {
    metadata: { name: `fn-1.${reason}`, namespace, creationTimestamp: '2030-01-01T00:00:00Z' },
    involvedObject: { kind: 'Pod', namespace, name: 'fn-1', uid, fieldPath: 'spec.containers{fn}' },
    type: 'Warning',
    reason,
    message,
    source: { component: 'kubelet', host: 'node1' },
    firstTimestamp: '2030-01-01T00:00:00Z',
    lastTimestamp: '2030-01-01T00:00:10Z',
    count: 1,
    ...fields,
  } as KubeEvent;
};

test('usage is the sum over the pods and containers that the metrics API knows', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  rig.api.put(metrics('fn-1', { cpu: '2500000n', memory: '20480Ki' }, { cpu: '1m', memory: '1Mi' }), collections.podMetrics);
  rig.api.put(metrics('fn-2', { cpu: '0', memory: '1024Ki' }), collections.podMetrics);
  const other = metrics('other-1', { cpu: '1', memory: '1Gi' });
  rig.api.put({ ...other, metadata: { ...other.metadata, labels: { faas_function: 'other' } } }, collections.podMetrics);
  const { usage } = (await rig.provider.get(ref, { usage: true })) ?? {};
  assert.deepEqual(usage, { cpu: 4, totalMemoryBytes: 22 * 1024 * 1024 });
});

test('without a metrics API the nodes are asked, for our pods only', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  rig.api.answer(`GET ${collections.podMetrics.replace(/\/namespaces.*/, '')}`, 404, { kind: 'Status', code: 404 });
  const { uid } = rig.api.find(`${collections.pods}/fn-1`)?.metadata ?? {};
  const pods = [
    { podRef: { uid }, cpu: { usageNanoCores: 7_400_000 }, memory: { workingSetBytes: 1000 } },
    { podRef: { uid: 'other' }, cpu: { usageNanoCores: 9e9 }, memory: { workingSetBytes: 1e9 } },
  ];
  rig.api.answer('GET /api/v1/nodes/node1/proxy/stats/summary', 200, { pods });
  const read = async () => (await rig.provider.get(ref, { usage: true }))?.usage;
  assert.deepEqual(await eventually(async () => ((await read())?.cpu ?? 0) > 0 && read(), { what: 'usage' }), {
    cpu: 7,
    totalMemoryBytes: 1000,
  });
});

test('where the cluster does not say what is used, nothing is shown', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  const refused = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' };
  rig.api.answer(`GET ${collections.podMetrics}`, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'no' });
  rig.api.answer('GET /api/v1/nodes/', 403, refused);
  const read = () => rig.provider.get(ref, { usage: true });
  await eventually(async () => (await read())?.usage === undefined, { what: 'no usage, once the pod is known' });
  assert.equal((await read())?.name, 'fn');
  assert.ok(rig.api.requests.some((line) => line.startsWith('GET /api/v1/nodes/node1/proxy/')));
});

test('a metrics API that has nothing of the pods yet is not taken for no usage', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  const usage = async () => (await rig.provider.get(ref, { usage: true }))?.usage;
  await eventually(async () => (await usage()) === undefined, { what: 'no usage, once the pod is known' });
});

test('details are asked for only when they are wanted', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  const before = rig.api.requests.length;
  await rig.provider.get(ref);
  await rig.provider.list(namespace);
  assert.deepEqual(
    rig.api.requests.slice(before).filter((line) => !line.includes('watch=')),
    [],
  );
});

test('failed probes are told in the words of the kubelet', async (t) => {
  const rig = await startRig(t);
  const running = { name: 'fn', restartCount: 0, state: { running: { startedAt: '2030-01-01T00:00:00Z' } } };
  await deployed(rig, podOf('fn', { phase: 'Running', containerStatuses: [running] }));
  const uid = rig.api.find(`${collections.pods}/fn-1`)?.metadata.uid ?? '';
  const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503';
  rig.api.put(event('Unhealthy', message, { uid, count: 4 }), collections.events);
  rig.api.put({ ...event('Unhealthy', 'of another pod'), metadata: { name: 'other', namespace } }, collections.events);
  const ready = async () => (await rig.provider.get(ref, { usage: true }))?.conditions?.find(({ type }) => type === 'Ready');
  const told = await eventually(async () => (await ready())?.reason === 'ProbeFailed' && ready(), { what: 'the warning' });
  assert.deepEqual(
    [told.status, told.message],
    ['False', `0 of 1 replicas answer yet; Kubernetes says: Unhealthy: ${message} (4 times)`],
  );
});

test('who may not read events is shown the function without them', async (t) => {
  const rig = await startRig(t);
  await deployed(rig, podOf('fn'));
  rig.api.answer(`GET ${collections.events}`, 403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' });
  await eventually(
    async () => {
      await rig.provider.get(ref, { usage: true });
      return rig.api.requests.some((line) => line.startsWith(`GET ${collections.events}`));
    },
    { what: 'the question for events' },
  );
  assert.equal((await rig.provider.get(ref, { usage: true }))?.name, 'fn');
});

test('of all warnings the newest counts that says more than the status, by whatever clock it has', () => {
  const mount = 'MountVolume.SetUp failed for volume "fn-projected-secrets": secret "key" not found';
  const events = [
    event('BackOff', 'Back-off restarting failed container', { lastTimestamp: '2030-01-01T00:09:00Z' }),
    event('MissingClusterDNS', 'Falling back to "Default" policy.', { lastTimestamp: '2030-01-01T00:09:30Z' }),
    event('Unhealthy', 'old', { lastTimestamp: '2030-01-01T00:01:00Z' }),
    event('FailedMount', mount, {
      lastTimestamp: null,
      eventTime: '2030-01-01T00:02:00.000000Z',
      series: { count: 3, lastObservedTime: '2030-01-01T00:05:00.000000Z' },
    }),
    event('Pulled', 'Normal ones are none', { type: 'Normal', lastTimestamp: '2030-01-01T00:10:00Z' }),
  ];
  assert.deepEqual(newestWarning(events), { reason: 'FailedMount', message: `${mount} (3 times)` });
  assert.equal(newestWarning(events.slice(0, 1)), undefined);
  assert.equal(newestWarning([]), undefined);
});

test('a warning is added to what is wrong and to nothing else', () => {
  const condition = (type: string, status: string, reason: string) => ({
    type,
    status,
    reason,
    message: 'm',
    lastTransitionTime: 'x',
  });
  const conditions = [condition('Ready', 'False', 'Starting'), condition('Healthy', 'True', 'Starting')];
  const mount = { reason: 'FailedMount', message: 'no such secret' };
  const [ready, healthy] = withWarning(conditions as never, mount);
  assert.deepEqual([ready?.reason, ready?.message], ['Starting', 'm; Kubernetes says: FailedMount: no such secret']);
  assert.deepEqual(healthy, conditions[1]);
  assert.deepEqual(withWarning(conditions as never, undefined), conditions);
});

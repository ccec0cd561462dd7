// What happens to pods and nodes every day, each under 200 calls a second of which none may fail.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { versionSpans } from '../helpers/load.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { answering, put, scale, startClusterGateway, underLoad } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster, forgetPods, functionNamespace, getJson, type Pod, podsEnded, podsOf, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

type Scene = { readonly cluster: Cluster; readonly gateway: RunningGateway; readonly image: string };

/** A gateway on an empty cluster, and a function `fn` with so many pods that are ready. */
const setTheScene = async (t: TestContext, replicas: number): Promise<Scene> => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster);
  const image = await functionImage(cluster, 'version');
  await put(gateway, { service: 'fn', image, labels: { 'com.openfaas.scale.min': String(replicas) } });
  await answering(gateway, 'fn', replicas);
  await podsReady(cluster, 'fn', replicas);
  return { cluster, gateway, image };
};

const evict = (cluster: Cluster, { metadata: { name } }: Pod): Promise<string> =>
  cluster.kubectl(
    ['create', '--raw', `/api/v1/namespaces/${functionNamespace}/pods/${name}/eviction`, '-f', '-'],
    JSON.stringify({ apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name, namespace: functionNamespace } }),
  );

test('two rolling updates lose no call, and no version answers after its successor alone does', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t, 2);
  const first = await podsOf(cluster, 'fn');
  const labels = { 'com.openfaas.scale.min': '2' };
  const { answers } = await underLoad(t, { gateway, name: 'fn' }, async () => {
    for (const version of ['v2', 'v3']) {
      const old = await podsOf(cluster, 'fn');
      await put(gateway, { service: 'fn', image, labels, envVars: { version } });
      await podsEnded(cluster, 'fn', old);
      await podsReady(cluster, 'fn', 2);
    }
  });
  await podsEnded(cluster, 'fn', first);
  assert.deepEqual(
    versionSpans(answers).map(({ version }) => version),
    ['v1', 'v2', 'v3'],
  );
});

test('scaling from 5 to 1 loses no call', { skip }, async (t) => {
  const { cluster, gateway } = await setTheScene(t, 5);
  const before = await podsOf(cluster, 'fn');
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    await scale(gateway, 'fn', 1);
    const [survivor] = await podsReady(cluster, 'fn', 1);
    const others = before.filter(({ metadata }) => metadata.uid !== survivor?.metadata.uid);
    assert.equal(others.length, 4, 'the survivor is one of the five');
    await podsEnded(cluster, 'fn', others);
  });
  await answering(gateway, 'fn', 1);
});

test('a pod that is evicted, and then all pods deleted at once, lose no call', { skip }, async (t) => {
  const { cluster, gateway } = await setTheScene(t, 2);
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    const [one] = await podsOf(cluster, 'fn');
    assert.ok(one !== undefined);
    await evict(cluster, one);
    await podsEnded(cluster, 'fn', [one]);
    const both = await podsReady(cluster, 'fn', 2);
    await cluster.kubectl([
      'delete',
      'pod',
      '-n',
      functionNamespace,
      ...both.map(({ metadata }) => metadata.name),
      '--wait=false',
    ]);
    await podsEnded(cluster, 'fn', both);
    await podsReady(cluster, 'fn', 2);
  });
});

test('evictions against a disruption budget: refused while it is used up, and no call is lost', { skip }, async (t) => {
  const { cluster, gateway } = await setTheScene(t, 2);
  const budget = {
    apiVersion: 'policy/v1beta1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'fn', namespace: functionNamespace },
    spec: { minAvailable: 2, selector: { matchLabels: { faas_function: 'fn' } } },
  };
  const setLeast = async (minAvailable: number, allowed: number): Promise<void> => {
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ ...budget, spec: { ...budget.spec, minAvailable } }));
    await eventually(
      async () => {
        const { status } = await getJson<{ status?: { disruptionsAllowed?: number; currentHealthy?: number } }>(
          cluster,
          'poddisruptionbudget',
          '-n',
          functionNamespace,
          'fn',
        );
        return status?.currentHealthy === 2 && status.disruptionsAllowed === allowed;
      },
      { what: `the budget allows ${allowed} disruptions`, timeoutMs: 30_000, intervalMs: 200 },
    );
  };
  await setLeast(2, 0);
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    const [one, two] = await podsOf(cluster, 'fn');
    assert.ok(one !== undefined && two !== undefined);
    await assert.rejects(evict(cluster, one), /disruption budget/);
    await setLeast(1, 1);
    await evict(cluster, one);
    await assert.rejects(evict(cluster, two), /disruption budget/);
    await podsEnded(cluster, 'fn', [one]);
    await podsReady(cluster, 'fn', 2);
  });
});

test('draining one of two nodes loses no call', { skip }, async (t) => {
  const { cluster, gateway } = await setTheScene(t, 4);
  const before = await podsOf(cluster, 'fn');
  const [node = ''] = before.map(({ spec }) => spec.nodeName ?? '');
  const there = before.filter(({ spec }) => spec.nodeName === node);
  assert.ok(there.length > 0 && there.length < before.length, 'pods run on more than one node');
  onEnd(t, () => cluster.kubectl(['uncordon', node]));
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=120s'];
    const drained = cluster.kubectl(['drain', node, ...flags]);
    await Promise.all([drained, podsEnded(cluster, 'fn', there).then(() => forgetPods(cluster, there))]);
    const after = await podsReady(cluster, 'fn', 4);
    assert.ok(after.every(({ spec }) => spec.nodeName !== node));
  });
});

// Many callers of a function that sleeps: one order to wake it, every call answered, in order, and soon.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import { startProgram } from '../helpers/process.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { answering, put, scale, startClusterGateway } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster, forgetPods, functionNamespace, getJson, podsEnded, podsOf, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const callers = 200;

/** What DESIGN asks for, and what a busy machine gets that runs the whole cluster beside this test: still sooner than a pod is Ready. */
const aimMs = 100;
const limitMs = 2000;

// Every call travels on a connection of its own, and the function's kernel may take those in another order than they were
// opened in, a few at a time. Served in any order they would be 67 places away from where they belong, backwards 100.

/** Writes of Deployments by anybody, as the API server counts them; those of their status left out. */
const deploymentWrites = async (cluster: Cluster): Promise<number> => {
  const text = await cluster.kubectl(['get', '--raw', '/metrics']);
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('apiserver_request_total{') && line.includes('resource="deployments"'))
    .filter((line) => /verb="(PUT|PATCH|APPLY)"/.test(line) && !line.includes('subresource="status"'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

const connects = (host: string, port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: 500 });
  const end = (answer: boolean) => (): void => {
    socket.destroy();
    resolve(answer);
  };
  socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  return promise;
};

/** When a new pod's address could be seen, and when its port answered, by a watch and a probe of our own. */
const watchStart = async (t: TestContext, cluster: Cluster): Promise<{ addressMs: number; portMs: number }> => {
  const columns = 'custom-columns=ADDRESS:.status.podIP,NAME:.metadata.name';
  const args = ['--kubeconfig', cluster.kubeconfig, 'get', 'pods', '-n', functionNamespace, '-l', 'faas_function=fn'];
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' };
  const watch = startProgram(t, 'kubectl', [...args, '--watch', '--no-headers', '-o', columns], { env });
  const [, host = ''] = await watch.until(/^(\d+\.\d+\.\d+\.\d+) /m, 60_000);
  const addressMs = performance.now();
  await eventually(() => connects(host, 8080), { what: `${host} answers`, timeoutMs: 60_000, intervalMs: 2 });
  const portMs = performance.now();
  watch.kill();
  return { addressMs, portMs };
};

test(`${callers} callers of a function at zero: one write, every call answered in order, soon after the pod`, {
  skip,
}, async (t) => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster);
  await put(gateway, { service: 'fn', image: await functionImage(cluster, 'arrivals') });
  await answering(gateway, 'fn', 1);
  const asleep = await podsOf(cluster, 'fn');
  await scale(gateway, 'fn', 0);
  await podsEnded(cluster, 'fn', asleep);
  // Out of sight of the watch, too.
  await forgetPods(cluster, asleep);
  await answering(gateway, 'fn', 0);

  const writes = await deploymentWrites(cluster);
  const generation = async (): Promise<number> =>
    (await getJson<{ metadata: { generation: number } }>(cluster, 'deployment', '-n', functionNamespace, 'fn')).metadata
      .generation;
  const before = await generation();
  const start = watchStart(t, cluster);
  const calledMs = performance.now();
  let firstMs = Number.POSITIVE_INFINITY;
  const calls: Promise<void>[] = [];
  for (let index = 0; index < callers; index += 1) {
    const answer = gateway.call('fn', { method: 'POST', body: String(index) }).then(({ status, text }) => {
      assert.equal(`${status} ${text}`, '200 noted');
      firstMs = Math.min(firstMs, performance.now());
    });
    calls.push(answer);
    // One after the other, so that there is an order to keep.
    await sleep(2);
  }
  await Promise.all(calls);
  const { addressMs, portMs } = await start;
  const lateMs = firstMs - Math.max(addressMs, portMs);
  const rounded = [firstMs - calledMs, addressMs - calledMs, portMs - calledMs, lateMs].map(Math.round);
  t.diagnostic(
    `first answer after ${rounded[0]} ms; address seen ${rounded[1]}, port ${rounded[2]}; late ${rounded[3]} (aim ${aimMs})`,
  );

  const order: number[] = JSON.parse((await gateway.call('fn')).text).map(Number);
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    Array.from({ length: callers }, (_, index) => index),
  );
  const displaced = order.reduce((sum, caller, place) => sum + Math.abs(caller - place), 0) / callers;
  assert.ok(displaced < callers / 10, `calls came ${displaced} places away from where they belong, on average: ${order}`);
  assert.equal(await generation(), before + 1, 'one change of the Deployment');
  assert.equal((await deploymentWrites(cluster)) - writes, 1, 'one write of a Deployment');
  await podsReady(cluster, 'fn', 1);
  assert.ok(lateMs < limitMs, `${lateMs} ms late`);
});

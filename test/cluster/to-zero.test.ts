// Functions that go to zero by themselves, served by two gateways of which neither sees the other's calls: no call may fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../helpers/call.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { parseExposition } from '../helpers/exposition.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { createRandom, takeSeed } from '../helpers/random.ts';
import { findCluster } from './cluster.ts';
import { openNamespace, put, startClusterGateway } from './gateway.ts';
import { functionImage } from './images.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const namespace = 'to-zero';
const idleMs = 2000;
const names = ['a', 'b', 'c', 'd'];
const times = 8;

/** Orders to scale that the gateways have given for one cause. */
const orders = async (gateways: readonly RunningGateway[], cause: string): Promise<number> => {
  let sum = 0;
  for (const { metricsPort } of gateways) {
    const families = parseExposition((await call(`http://127.0.0.1:${metricsPort}`, { path: '/metrics' })).text);
    for (const { labels, value } of families.get('gateway_function_scalings_total')?.samples ?? []) {
      if (labels.cause === cause) sum += value;
    }
  }
  return sum;
};

test(`${names.length} functions go to zero ${times} times under callers of two gateways: no failed call`, { skip }, async (t) => {
  if ('missing' in found) throw new Error(found.missing);
  const { cluster } = found;
  const random = createRandom(takeSeed(t));
  await openNamespace(t, cluster, namespace);
  const args = ['--function-namespace', namespace, '--zero-duration', `${idleMs}ms`];
  const gateways = [await startClusterGateway(t, cluster, { args }), await startClusterGateway(t, cluster, { args })];
  const [first] = gateways as [RunningGateway];
  const image = await functionImage(cluster, 'version');
  const labels = { 'com.openfaas.scale.zero': 'true' };
  await Promise.all(names.map((service) => put(first, { service, image, labels })));
  let calls = 0;
  let done = false;
  const keepCalling = async (name: string): Promise<void> => {
    while (!done) {
      const each = Array.from({ length: 1 + random.below(2) }, async () => {
        calls += 1;
        const answer = await random.pick(gateways).call(name, { path: `/?ms=${random.below(100)}`, timeoutMs: 60_000 });
        assert.equal(answer.status, 200, answer.text);
      });
      await Promise.all(each);
      // From before it dozes until its pod has gone.
      await sleep(idleMs * 0.9 + random.below(2 * idleMs));
    }
  };
  const stop = (): void => {
    done = true;
  };
  const counting = eventually(async () => done || (await orders(gateways, 'idle')) >= times, {
    what: `${times} times at zero`,
    timeoutMs: 180_000,
    intervalMs: 500,
  });
  const callers = Promise.all(names.map(keepCalling));
  await Promise.all([counting.finally(stop), within(callers.finally(stop), 'the last calls', 260_000)]);
  const [idle, woken] = [await orders(gateways, 'idle'), await orders(gateways, 'call')];
  t.diagnostic(`${calls} calls, ${idle} times at zero, ${woken} orders to wake`);
  assert.ok(idle >= times);
  assert.ok(woken > 0);
});

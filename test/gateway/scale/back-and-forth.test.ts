// Two gateways on one provider, each with its own delay until it hears of anything, and callers at every moment of the way to
// zero and back: no call may fail, and the function must not stay awake.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { createRandom, takeSeed } from '../../helpers/random.ts';
import { createMemoryProvider } from '../../memory/provider.ts';
import { type OneGateway, startOneGateway } from './one-gateway.ts';

const times = 200;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const idleMs = 15;
const lagMs = 20;

test(`to zero and back ${times} times under callers of two gateways: no failed call`, async (t) => {
  const random = createRandom(takeSeed(t));
  const gateways: OneGateway[] = [];
  const provider = createMemoryProvider({
    notice: () => Promise.all(gateways.map((gateway) => gateway.heard())).then(() => sleep(random.below(10))),
    beforeStart: () => sleep(random.below(10)),
  });
  onEnd(t, () => provider.close());
  const options = { settings: { zeroDurationMs: idleMs, parkIdleMs: 0 }, everyMs: 3 };
  gateways.push(
    await startOneGateway(t, provider, options),
    await startOneGateway(t, provider, { ...options, lagMs: () => random.below(lagMs) }),
  );
  for (const service of names) {
    const labels = { 'com.openfaas.scale.zero': 'true' };
    await provider.deploy({ service, namespace: 'openfaas-fn', image: 'slow:1', labels });
  }
  const zeros = (): number =>
    gateways
      .flatMap(({ metrics }) => names.map((name) => metrics.of(`${name}.openfaas-fn`)?.scalings?.get('idle') ?? 0))
      .reduce((sum, each) => sum + each, 0);
  let calls = 0;
  const callOnce = async (name: string): Promise<void> => {
    calls += 1;
    const answer = await random.pick(gateways).call(name, { path: `/?ms=${random.below(6)}` });
    assert.equal(answer.status, 200, answer.text);
  };
  const keepCalling = async (name: string): Promise<void> => {
    while (zeros() < times) {
      // From well before the way down begins until after its end; now and then it is let be.
      await sleep(random.next() < 0.5 ? idleMs + random.below(2 * lagMs) : 2 * (idleMs + lagMs));
      await Promise.all(Array.from({ length: 1 + random.below(4) }, () => callOnce(name)));
    }
  };
  await within(Promise.all(names.map(keepCalling)), `${times} times at zero`, 120_000);
  const dozes = provider.count('doze');
  t.diagnostic(`${calls} calls, ${zeros()} times at zero of ${dozes} tries`);
  assert.ok(dozes > zeros(), 'some calls came on the way down');
  assert.deepEqual(
    gateways.flatMap(({ errors }) => errors),
    [],
  );
  for (const name of names) {
    const asleep = async (): Promise<boolean> => ((await provider.get({ name, namespace: 'openfaas-fn' }))?.replicas ?? 0) === 0;
    await eventually(asleep, { what: `${name} is at zero in the end` });
  }
});

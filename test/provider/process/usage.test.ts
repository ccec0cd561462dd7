import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Confinement } from '../../../provider/process/limits/limits.ts';
import { createUsageMeter } from '../../../provider/process/usage.ts';
import { onEnd } from '../../helpers/cleanup.ts';

/** A clock, and a replica that has used `cpuMs` of the CPU. */
const setUp = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = { nowMs: 100_000, cpuMs: 0, memoryBytes: 1000 };
  const confinement = { usage: async () => ({ cpuMs: state.cpuMs, memoryBytes: state.memoryBytes }) } as unknown as Confinement;
  const replica = { startedAtMs: state.nowMs, confinement: () => confinement };
  const meter = createUsageMeter({ running: () => [replica], now: () => state.nowMs, everyMs: 15_000 });
  onEnd(t, () => meter.close());
  return { state, replica, meter };
};

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a young replica is measured from its start, over a second at least', async (t) => {
  const { state, replica, meter } = setUp(t);
  state.nowMs += 10;
  state.cpuMs = 50;
  assert.deepEqual(await meter.measure([replica]), { cpu: 50, totalMemoryBytes: 1000 });
  state.nowMs += 1990;
  state.cpuMs = 1000;
  assert.deepEqual(await meter.measure([replica, replica]), { cpu: 1000, totalMemoryBytes: 2000 });
});

test('an older one is measured from the last look in the background, or the one before it when that was just now', async (t) => {
  const { state, replica, meter } = setUp(t);
  const pass = async (ms: number, cpuMs: number): Promise<void> => {
    state.nowMs += ms;
    state.cpuMs += cpuMs;
    t.mock.timers.tick(ms);
    await settled();
  };
  await pass(15_000, 15_000);
  await pass(5000, 0);
  assert.equal((await meter.measure([replica])).cpu, 0);
  await pass(10_000, 1500);
  state.nowMs += 500;
  assert.equal((await meter.measure([replica])).cpu, Math.round(1500 / 15.5));
});

test('a replica that has no process yet, or none any more, uses nothing', async (t) => {
  const { meter } = setUp(t);
  const gone = { usage: async () => undefined } as unknown as Confinement;
  const replicas = [
    { startedAtMs: 0, confinement: () => undefined },
    { startedAtMs: 0, confinement: () => gone },
  ];
  assert.deepEqual(await meter.measure(replicas), { cpu: 0, totalMemoryBytes: 0 });
});

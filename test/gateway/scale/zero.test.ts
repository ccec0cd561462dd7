import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { createFunctionTable } from '../../../gateway/invoke/table.ts';
import { createZero, type ZeroParts } from '../../../gateway/scale/zero.ts';
import type { FunctionReport } from '../../../provider/provider.ts';
import type { Cleanup } from '../../helpers/cleanup.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { createMemoryProvider, type MemoryProvider, type MemoryProviderOptions } from '../../memory/provider.ts';
import { startOneGateway } from './one-gateway.ts';

const ref = { name: 'fn', namespace: 'openfaas-fn' };
const key = 'fn.openfaas-fn';
const forZero = { 'com.openfaas.scale.zero': 'true' };
const settings = { zeroDurationMs: 60, parkIdleMs: 0 };

const report = (changes: Partial<FunctionReport> = {}): FunctionReport => ({
  ref,
  revision: 'r',
  labels: forZero,
  annotations: {},
  replicas: 1,
  ...changes,
});

/** The timers of what is tested keep no process alive. */
const stayAlive = (t: Cleanup): void => {
  const timer = setInterval(() => {}, 1000);
  onEnd(t, () => clearInterval(timer));
};

const startZero = (t: Cleanup, parts: Partial<ZeroParts['provider']>, more: Partial<ZeroParts> = {}) => {
  const table = createFunctionTable();
  const orders: string[] = [];
  const errors: unknown[] = [];
  const zeros: string[] = [];
  const zero = createZero({
    table,
    settings: { zeroDurationMs: 20, parkIdleMs: 20 },
    everyMs: 5,
    othersMs: 50,
    provider: {
      parksIdle: false,
      doze: async () => {
        orders.push('doze');
        table.functionChanged(report({ dozing: true }));
        return 'mark';
      },
      sleep: async (_ref, mark) => {
        orders.push(`sleep ${mark}`);
        // Replicas may be gone before the function is told to have none.
        await table.endpointGone(ref, 'fn-1');
        table.functionChanged(report({ replicas: 0 }));
        return true;
      },
      scale: async (_ref, replicas) => {
        orders.push(`scale ${replicas}`);
        table.functionChanged(report({ replicas }));
      },
      ...parts,
    },
    onZero: (each) => void zeros.push(each),
    onError: (_entry, error) => void errors.push(error),
    ...more,
  });
  onEnd(t, () => zero.close());
  stayAlive(t);
  const run = (each: FunctionReport = report()): void => {
    table.functionChanged(each);
    const address = { host: '127.0.0.1', port: 1 };
    table.endpointReady(each.ref, { id: `${each.ref.name}-1`, revision: each.revision, address });
  };
  return { table, orders, errors, zeros, run };
};

test('an idle function goes to zero in two steps, and is told of once', async (t) => {
  const { orders, zeros, run } = startZero(t, {});
  run();
  await eventually(() => zeros.length > 0, { what: 'the function is at zero' });
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual([orders, zeros], [['doze', 'sleep mark'], [key]]);
});

test('a step that fails is told of and taken again later', async (t) => {
  let failures = 0;
  const { table, errors, zeros, run } = startZero(t, {
    doze: async () => {
      failures += 1;
      if (failures < 3) throw new Error('busy');
      table.functionChanged(report({ dozing: true }));
      return 'mark';
    },
  });
  run();
  await eventually(() => zeros.length > 0, { what: 'the function is at zero' });
  assert.equal(errors.length, 2);
});

test('a function that only the parking time would stop runs on where idle replicas cost nothing', async (t) => {
  const { table, orders, zeros, run } = startZero(t, {});
  const other = { name: 'other', namespace: 'openfaas-fn' };
  run(report({ ref: other, labels: {} }));
  run();
  await eventually(() => zeros.length > 0, { what: 'the labelled one is at zero' });
  assert.deepEqual(orders, ['doze', 'sleep mark']);
  assert.equal(table.get('other.openfaas-fn')?.report.replicas, 1);
});

test('nothing is put to zero while what is known may be old', async (t) => {
  let staleMs = 10;
  const { orders, zeros, run } = startZero(t, { staleMs: () => staleMs });
  run();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(orders, []);
  staleMs = 0;
  await eventually(() => zeros.length > 0, { what: 'the function is at zero' });
});

test('a doze that a gateway left behind is ended by the next: to zero when idle, awake when not', async (t) => {
  const { table, orders, zeros, run } = startZero(t, {});
  run();
  const entry = table.get(key)!;
  entry.inFlight = 1;
  table.functionChanged(report({ dozing: true }));
  assert.deepEqual(orders, ['scale 1']);
  table.functionChanged(report({ dozing: true }));
  assert.deepEqual(orders, ['scale 1'], 'one order at a time');
  entry.inFlight = 0;
  await eventually(() => zeros.length > 0, { what: 'the function is at zero' });
});

const deploy = async (t: Cleanup, options: MemoryProviderOptions = {}): Promise<MemoryProvider> => {
  const provider = createMemoryProvider(options);
  onEnd(t, () => provider.close());
  await provider.deploy({ service: 'fn', namespace: 'openfaas-fn', image: 'echo:1', labels: forZero });
  stayAlive(t);
  return provider;
};

const replicasOf = async (provider: MemoryProvider): Promise<number> => (await provider.get(ref))?.replicas ?? 0;

test('a call that comes between the two steps is answered by the replica that was there, and the second is not taken', async (t) => {
  const noticed = Promise.withResolvers<void>();
  const dozes = Promise.withResolvers<void>();
  const provider = await deploy(t, {
    notice: () => {
      dozes.resolve();
      return noticed.promise;
    },
  });
  const gateway = await startOneGateway(t, provider, { settings, everyMs: 5 });
  await eventually(() => provider.endpoints(ref).length === 1, { what: 'the replica answers' });
  const [before] = provider.endpoints(ref);
  await within(dozes.promise, 'the function dozes');
  assert.equal(gateway.table.get(key)?.ready.length, 0, 'no call goes to a replica that is about to go');
  const answer = await gateway.call('fn');
  assert.equal(answer.status, 200);
  assert.deepEqual(provider.endpoints(ref), [before]);
  noticed.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(provider.count('sleep'), 0);
  assert.equal(await replicasOf(provider), 1);
});

test('a stream on one gateway keeps the function from going to zero on another that sees no call', async (t) => {
  const provider = await deploy(t, {
    functions: { echo: () => (_req, res) => void res.write('begun') },
    notice: () => new Promise((resolve) => setTimeout(resolve, 40)),
  });
  const [idle, busy] = [
    await startOneGateway(t, provider, { settings, everyMs: 5 }),
    await startOneGateway(t, provider, { settings, everyMs: 5, lagMs: () => 10 }),
  ];
  const stream = request({ host: '127.0.0.1', port: busy.port, path: '/function/fn', agent: false }).end();
  onEnd(t, () => stream.destroy());
  stream.on('error', () => {});
  const answer = await within(
    new Promise<NodeJS.ReadableStream>((resolve) => stream.on('response', resolve)),
    'the stream begins',
  );
  answer.resume();
  await eventually(() => provider.count('doze') >= 3, { what: 'the other gateway has tried three times' });
  assert.equal(await replicasOf(provider), 1);
  assert.equal(provider.endpoints(ref).length, 1);
  stream.destroy();
  await eventually(async () => (await replicasOf(provider)) === 0, { what: 'the function is at zero' });
  assert.deepEqual([...idle.errors, ...busy.errors], []);
});

test('of gateways that all see an idle function, one puts it to zero', async (t) => {
  const provider = await deploy(t, { notice: () => new Promise((resolve) => setTimeout(resolve, 50)) });
  const gateways = [];
  for (let each = 0; each < 3; each += 1) gateways.push(await startOneGateway(t, provider, { settings, everyMs: 5 }));
  await eventually(async () => (await replicasOf(provider)) === 0, { what: 'the function is at zero' });
  assert.equal(provider.count('sleep'), 1, 'nobody has taken the mark of another away');
});

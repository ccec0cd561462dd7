import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFunctionTable, FunctionEntry } from '../../../gateway/invoke/table.ts';
import { createParking, isParkable } from '../../../gateway/scale/park.ts';
import type { FunctionReport } from '../../../provider/provider.ts';

const report = (changes: Partial<FunctionReport> = {}): FunctionReport => ({
  ref: { name: 'fn', namespace: 'ns' },
  revision: 'r',
  labels: {},
  annotations: {},
  replicas: 1,
  ...changes,
});

describe('a function may be parked', () => {
  const rows: { name: string; changes?: Partial<FunctionReport>; inFlight?: number; nowMs?: number; parkable: boolean }[] = [
    { name: 'when nobody called it for the idle time', parkable: true },
    { name: 'not a moment earlier', nowMs: 1999, parkable: false },
    { name: 'not while a call, a stream or a socket is open', inFlight: 1, parkable: false },
    { name: 'not when its operator set a minimum', changes: { labels: { 'com.openfaas.scale.min': '1' } }, parkable: false },
    { name: 'not when the autoscaler owns it', changes: { labels: { 'com.openfaas.scale.zero': 'true' } }, parkable: false },
    { name: 'not when it sleeps already', changes: { replicas: 0 }, parkable: false },
  ];
  for (const { name, changes, inFlight = 0, nowMs = 2000, parkable } of rows) {
    test(name, () => {
      const entry = new FunctionEntry(report(changes), 1000);
      entry.inFlight = inFlight;
      assert.equal(isParkable(entry, nowMs, 1000), parkable);
    });
  }
});

test('idle functions are scaled to zero, each by one order at a time, and a failed order is tried again', async (t) => {
  const table = createFunctionTable();
  table.functionChanged(report());
  const orders: string[] = [];
  const errors: unknown[] = [];
  const parked = Promise.withResolvers<void>();
  const parking = createParking({
    table,
    parkIdleMs: 30,
    provider: {
      parksIdle: true,
      scale: async (ref, replicas) => {
        orders.push(`${ref.name}=${replicas}`);
        if (orders.length === 1) throw new Error('busy');
        table.functionChanged(report({ replicas }));
        parked.resolve();
      },
    },
    onError: (_entry, error) => errors.push(error),
  });
  t.after(() => parking.close());
  const keepAlive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(keepAlive));
  await parked.promise;
  assert.deepEqual(orders, ['fn=0', 'fn=0']);
  assert.equal(errors.length, 1);
});

test('a provider whose idle replicas cost nothing is left alone', async () => {
  const table = createFunctionTable();
  table.functionChanged(report());
  const orders: unknown[] = [];
  const parking = createParking({
    table,
    parkIdleMs: 1,
    provider: { parksIdle: false, scale: async (ref) => void orders.push(ref) },
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  parking.close();
  assert.deepEqual(orders, []);
});

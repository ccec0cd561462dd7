import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routeTo } from '../../../gateway/invoke/route.ts';
import { createFunctionTable, type FunctionTable } from '../../../gateway/invoke/table.ts';
import type { FunctionReport } from '../../../provider/provider.ts';

const ref = { name: 'fn', namespace: 'ns' };
const report = (changes: Partial<FunctionReport> = {}): FunctionReport => ({
  ref,
  revision: 'r1',
  labels: {},
  annotations: {},
  replicas: 1,
  ...changes,
});
const ready = (table: FunctionTable, id: string, revision: string): void =>
  table.endpointReady(ref, { id, revision, address: { socketPath: `/${id}` } });
const ids = (table: FunctionTable): string[] | undefined => table.get('fn.ns')?.ready.map(({ id }) => id);

test('the newest revision with a ready endpoint has all calls, else the one that became ready last', () => {
  assert.deepEqual(routeTo('b', []), []);
  assert.deepEqual(routeTo('b', ['a']), [['a', 100]]);
  assert.deepEqual(routeTo('b', ['a', 'b']), [['b', 100]]);
  assert.deepEqual(routeTo('c', ['a', 'b']), [['b', 100]]);
});

test('a function is found by name and namespace until it is removed', () => {
  const table = createFunctionTable();
  table.functionChanged(report({ labels: { 'com.openfaas.scale.min': '2' }, annotations: { 'sluice.dev/timeout': '3s' } }));
  const entry = table.get('fn.ns');
  assert.deepEqual([entry?.key, entry?.scale.min, entry?.timeoutMs], ['fn.ns', 2, 3000]);
  table.functionChanged(report({ replicas: 5 }));
  assert.equal(table.get('fn.ns'), entry);
  assert.deepEqual([entry?.report.replicas, entry?.scale.min, entry?.timeoutMs], [5, 1, undefined]);
  table.functionRemoved(ref);
  assert.equal(table.get('fn.ns'), undefined);
  assert.equal(entry?.removed, true);
});

test('an old revision serves until the new one is ready, and again when the new one is gone', async () => {
  const table = createFunctionTable();
  table.functionChanged(report());
  ready(table, 'a', 'r1');
  table.functionChanged(report({ revision: 'r2' }));
  assert.deepEqual(ids(table), ['a']);
  ready(table, 'b', 'r2');
  ready(table, 'c', 'r2');
  assert.deepEqual(ids(table), ['b', 'c']);
  await table.endpointGone(ref, 'b');
  await table.endpointGone(ref, 'c');
  assert.deepEqual(ids(table), ['a']);
});

test('an endpoint that was never reported, or not of a known function, is gone at once', async () => {
  const table = createFunctionTable();
  ready(table, 'a', 'r1');
  await table.endpointGone(ref, 'a');
  table.functionChanged(report());
  await table.endpointGone(ref, 'a');
  assert.deepEqual(ids(table), []);
});

test('a change of a function by its operator counts as use, a report of what was known does not', () => {
  let nowMs = 1000;
  const table = createFunctionTable({ now: () => nowMs });
  table.functionChanged(report());
  nowMs = 2000;
  table.functionChanged(report({ annotations: { a: 'b' } }));
  assert.equal(table.get('fn.ns')?.lastCallMs, 1000);
  table.functionChanged(report({ replicas: 2 }));
  assert.equal(table.get('fn.ns')?.lastCallMs, 2000);
});

test('synced is told to all who wait, also later', async () => {
  const table = createFunctionTable();
  const before = table.whenSynced();
  table.synced();
  await before;
  await table.whenSynced();
});

test('subscribers hear of every change until they leave', async () => {
  const table = createFunctionTable();
  const heard: string[] = [];
  const stop = table.subscribe((entry) => heard.push(`${entry.key} ${entry.ready.length} ${entry.removed}`));
  table.functionChanged(report());
  ready(table, 'a', 'r1');
  await table.endpointGone(ref, 'a');
  table.functionRemoved(ref);
  stop();
  table.functionChanged(report());
  assert.deepEqual(heard, ['fn.ns 0 false', 'fn.ns 1 false', 'fn.ns 0 false', 'fn.ns 0 true']);
});

test('functions with several endpoints are known apart, of whatever revision and however healthy those are', async () => {
  const table = createFunctionTable();
  const several = (): string[] => [...table.several()].map(({ key }) => key);
  table.functionChanged(report());
  ready(table, 'a', 'r1');
  assert.deepEqual(several(), []);
  ready(table, 'b', 'r1');
  assert.deepEqual(several(), ['fn.ns']);
  await table.endpointGone(ref, 'a');
  assert.deepEqual(several(), []);
  ready(table, 'c', 'r2');
  assert.deepEqual(several(), ['fn.ns']);
  table.functionRemoved(ref);
  assert.deepEqual(several(), []);
});

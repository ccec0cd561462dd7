import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createFunctionTable, type FunctionEntry, type FunctionTable } from '../../../gateway/invoke/table.ts';
import { createSignals } from '../../../gateway/scale/signals.ts';
import { onEnd } from '../../helpers/cleanup.ts';

const key = (name: string): string => `${name}.ns`;

/** A table on a clock that the test moves, and the signals of it. */
const start = (t: TestContext, names: readonly string[], kept?: number) => {
  const clock = { nowMs: 1000 };
  const now = (): number => clock.nowMs;
  const table: FunctionTable = createFunctionTable({ now });
  for (const name of names) {
    table.functionChanged({ ref: { name, namespace: 'ns' }, revision: 'r', labels: {}, annotations: {}, replicas: 1 });
  }
  const signals = createSignals({ table, now, everyMs: 1e9, ...(kept === undefined ? {} : { kept }) });
  onEnd(t, () => signals.close());
  const pass = (ms: number): void => {
    clock.nowMs += ms;
    if (clock.nowMs % 1000 === 0) signals.sample();
  };
  const begin = (entry: FunctionEntry): void => {
    entry.touch(now());
    entry.inFlight += 1;
    entry.calls += 1;
  };
  const end = (entry: FunctionEntry): void => {
    entry.touch(now());
    entry.inFlight -= 1;
  };
  return { table, signals, pass, begin, end, entry: (name: string) => table.get(key(name)) as FunctionEntry };
};

test('calls at once are an average over time, however the calls lie in it', (t) => {
  const { signals, pass, begin, end, entry } = start(t, ['fn']);
  const fn = entry('fn');
  pass(1000);
  begin(fn);
  pass(250);
  begin(fn);
  pass(500);
  end(fn);
  pass(250);
  // One call for the whole second, another for half of it.
  assert.deepEqual(signals.of(key('fn'), 1000), { overMs: 1000, inFlight: 1.5, perSecond: 2, queued: 0, ready: 0 });
  pass(1000);
  assert.equal(signals.of(key('fn'), 1000).inFlight, 1, 'it runs on');
  assert.deepEqual([signals.of(key('fn'), 2000).inFlight, signals.of(key('fn'), 2000).perSecond], [1.25, 1]);
  end(fn);
  pass(1000);
  assert.equal(signals.of(key('fn'), 1000).inFlight, 0);
});

test('callers in line are the most there were, replicas the fewest', (t) => {
  const { table, signals, pass, begin, entry } = start(t, ['fn']);
  const fn = entry('fn');
  begin(fn);
  const address = { host: '127.0.0.1', port: 1 };
  for (const id of ['a', 'b']) table.endpointReady(fn.ref, { id, revision: 'r', address });
  fn.waiting = 7;
  pass(1000);
  fn.waiting = 3;
  void table.endpointGone(fn.ref, 'a');
  pass(1000);
  assert.deepEqual(
    [signals.of(key('fn'), 2000).queued, signals.of(key('fn'), 1000).queued, signals.of(key('fn'), 2000).ready],
    [7, 3, 1],
  );
});

test('only what was called lately is kept, for so many samples, and nothing of what is removed', (t) => {
  const { table, signals, pass, begin, end, entry } = start(t, ['called', 'removed', 'never'], 5);
  pass(5000);
  pass(5000);
  assert.equal(signals.size, 0, 'a deployment is no load');
  for (const name of ['called', 'removed']) {
    begin(entry(name));
    end(entry(name));
  }
  pass(1000);
  assert.equal(signals.size, 2);
  assert.equal(signals.of(key('never'), 5000).overMs, 0);
  table.functionRemoved({ name: 'removed', namespace: 'ns' });
  pass(1000);
  assert.equal(signals.size, 1);
  assert.equal(signals.of(key('removed'), 5000).overMs, 0);
  for (let second = 2; second < 6; second += 1) pass(1000);
  assert.equal(signals.of(key('called'), 60_000).overMs, 5000, 'no more than is kept');
  assert.equal(signals.of(key('called'), 60_000).perSecond, 0, 'the call is longer ago');
  pass(1000);
  assert.equal(signals.size, 0);
});

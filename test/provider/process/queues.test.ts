import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChains, createGate } from '../../../provider/process/queues.ts';
import { createStarts } from '../../../provider/process/starts.ts';

test('tasks of one key run one after the other, those of others beside them', async () => {
  const chain = createChains();
  const first = Promise.withResolvers<void>();
  const seen: string[] = [];
  const one = chain('a', async () => {
    await first.promise;
    seen.push('a1');
  });
  const two = chain('a', async () => void seen.push('a2'));
  await chain('b', async () => void seen.push('b'));
  first.resolve();
  await Promise.all([one, two]);
  assert.deepEqual(seen, ['b', 'a1', 'a2']);
});

test('a failed task does not stop the next of its key', async () => {
  const chain = createChains();
  const failed = chain('a', () => Promise.reject(new Error('no')));
  const next = chain('a', async () => 'yes');
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'yes');
});

test('a gate lets only so many tasks run at a time', async () => {
  const gate = createGate(2);
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 8 }, () =>
      gate(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      }),
    ),
  );
  assert.equal(most, 2);
});

test('starts that somebody waits for overtake those that nobody does, also when they become urgent later', async () => {
  const starts = createStarts(1);
  assert.equal(starts.tryEnter(), true);
  assert.equal(starts.tryEnter(), false);
  const { signal } = new AbortController();
  const order: string[] = [];
  const quiet = { urgent: false };
  const enter = (name: string, ticket: { urgent: boolean }) =>
    starts.enter(ticket, signal).then(() => {
      order.push(name);
      starts.leave();
    });
  const all = [enter('background', { urgent: false }), enter('hurried', quiet), enter('called', { urgent: true })];
  quiet.urgent = true;
  starts.leave();
  await Promise.all(all);
  assert.deepEqual(order, ['hurried', 'called', 'background']);
  assert.equal(starts.running(), 0);
});

test('a start that is given up while it waits takes no place', async () => {
  const starts = createStarts(1);
  starts.tryEnter();
  const leave = new AbortController();
  const waiting = starts.enter({ urgent: true }, leave.signal);
  leave.abort();
  assert.equal(await waiting, false);
  starts.leave();
  assert.equal(starts.running(), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { runAll } from '../../../cli/steps/run-all.ts';

test('outcomes come in the order of the items, failures among them', async () => {
  const outcomes = await runAll([3, 1, 2], 2, async (item) => {
    for (let at = 0; at < item; at += 1) await turn();
    if (item === 1) throw new Error('no');
    return item * 10;
  });
  assert.deepEqual(
    outcomes.map((each) => (each.ok ? each.result : each.error.message)),
    [30, 'no', 20],
  );
});

test('no more than the given number run at a time', async () => {
  let running = 0;
  let most = 0;
  await runAll([1, 2, 3, 4, 5], 2, async () => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
  });
  assert.equal(most, 2);
});

test('nothing to do is done at once', async () => assert.deepEqual(await runAll([], 4, async () => 1), []));

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEnd } from './cleanup.ts';

const standIn = () => {
  const hooks: (() => unknown)[] = [];
  return {
    hooks,
    t: { after: (hook: () => unknown) => void hooks.push(hook) } as unknown as Parameters<typeof onEnd>[0],
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
};

test('what was made last is undone first', async () => {
  const { t, hooks, end } = standIn();
  const undone: number[] = [];
  for (const n of [1, 2, 3]) onEnd(t, () => void undone.push(n));
  assert.equal(hooks.length, 1);
  await end();
  assert.deepEqual(undone, [3, 2, 1]);
});

test('a step that fails does not keep the others from running, and is reported', async () => {
  const { t, end } = standIn();
  const undone: number[] = [];
  onEnd(t, () => void undone.push(1));
  onEnd(t, async () => {
    throw new Error('stuck');
  });
  await assert.rejects(end(), { message: 'stuck' });
  assert.deepEqual(undone, [1]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurnEnds } from '../../../gateway/http/turn-ends.ts';

const createAnswers = () => {
  const ended: number[] = [];
  const end = createTurnEnds();
  const finish = (from: number, to: number): void => {
    for (let i = from; i < to; i += 1) end({ end: () => void ended.push(i) } as never);
  };
  return { ended, finish };
};

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('the first answer of each turn goes out at once', async () => {
  const { ended, finish } = createAnswers();
  finish(0, 1);
  assert.deepEqual(ended, [0]);
  await nextTurn();
  finish(1, 2);
  assert.deepEqual(ended, [0, 1]);
});

test('answers that end in the same turn go out together when it ends, in their order', async () => {
  const { ended, finish } = createAnswers();
  finish(0, 10);
  await Promise.resolve();
  assert.deepEqual(ended, [0]);
  await nextTurn();
  assert.deepEqual(ended, upTo(10));
});

test('no more than sixteen answers wait for the end of their turn', () => {
  const { ended, finish } = createAnswers();
  finish(0, 16);
  assert.deepEqual(ended, [0]);
  finish(16, 17);
  assert.deepEqual(ended, upTo(17));
  finish(17, 20);
  assert.deepEqual(ended, upTo(17));
});

test('what ends while held answers go out goes out, too', async () => {
  const ended: string[] = [];
  const end = createTurnEnds();
  end({ end: () => void ended.push('first') } as never);
  end({ end: () => end({ end: () => void ended.push('of the second') } as never) } as never);
  await nextTurn();
  await nextTurn();
  assert.deepEqual(ended, ['first', 'of the second']);
});

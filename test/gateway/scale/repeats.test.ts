import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRepeats } from '../../../gateway/scale/repeats.ts';

test('what was done of a failed notification is known once, and for a minute', () => {
  let nowMs = 0;
  const repeats = createRepeats(() => nowMs);
  assert.equal(repeats.take('a').size, 0);
  repeats.failed('a', ['x', 'y']);
  assert.deepEqual([...repeats.take('b')], []);
  assert.deepEqual([...repeats.take('a')], ['x', 'y']);
  assert.deepEqual([...repeats.take('a')], []);
  repeats.failed('a', ['x']);
  nowMs = 60_001;
  assert.deepEqual([...repeats.take('a')], []);
});

test('any number of failed notifications takes no more than a bounded memory', () => {
  const repeats = createRepeats(() => 0);
  for (let each = 0; each < 5000; each += 1) repeats.failed(`n${each}`, ['x']);
  assert.equal(repeats.take('n0').size, 0);
  assert.equal(repeats.take('n4999').size, 1);
});

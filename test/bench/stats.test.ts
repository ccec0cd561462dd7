import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, pairedRatio, percentile } from '../../bench/stats.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test('a percentile is a value that was measured', () => {
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 100);
  assert.equal(percentile([7], 0.99), 7);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test('a median of an even number lies between the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('a ratio is taken round by round, so that a slow round weighs on both sides', () => {
  assert.equal(pairedRatio([10, 1, 10], [20, 2, 40]), 0.5);
});

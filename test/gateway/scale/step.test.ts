import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from '../../../gateway/scale/step.ts';
import { toScaleSpec } from '../../../provider/types/scale.ts';

const rows = [
  {
    name: 'fact 97: min 1, max 5, factor 10: a firing alert makes 1 replica 2',
    min: 1,
    max: 5,
    factor: 10,
    firing: true,
    current: 1,
    expected: 2,
  },
  {
    name: 'fact 98: factor 25 of 5 is 2, and 4 + 2 stops at 5',
    min: 1,
    max: 5,
    factor: 25,
    firing: true,
    current: 4,
    expected: 5,
  },
  {
    name: 'fact 98: factor 100 goes straight to the maximum',
    min: 1,
    max: 5,
    factor: 100,
    firing: true,
    current: 1,
    expected: 5,
  },
  {
    name: 'fact 99: a resolved alert goes back to the minimum',
    min: 2,
    max: 5,
    factor: 10,
    firing: false,
    current: 5,
    expected: 2,
  },
  {
    name: 'fact 100: 19 replicas over a maximum of 5 come down to 5',
    min: 1,
    max: 5,
    factor: 10,
    firing: true,
    current: 19,
    expected: 5,
  },
  { name: 'fact 101: factor 0 never adds', min: 1, max: 5, factor: 0, firing: true, current: 1, expected: 1 },
  { name: 'fact 110: min equal to max stays there', min: 3, max: 3, factor: 100, firing: true, current: 3, expected: 3 },
  {
    name: 'fact 93: no ceiling of 5: factor 10 of 50 adds 5',
    min: 1,
    max: 50,
    factor: 10,
    firing: true,
    current: 7,
    expected: 12,
  },
] as const;

for (const { name, min, max, factor, firing, current, expected } of rows) {
  test(name, () => assert.equal(step({ min, max, factorPercent: factor }, firing, current), expected));
}

test('a function without labels goes from 1 to 20 in steps of 2', () => {
  const seen: number[] = [1];
  while ((seen.at(-1) ?? 0) < 20) seen.push(step(toScaleSpec({}), true, seen.at(-1) ?? 0));
  assert.deepEqual(seen, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 20]);
});

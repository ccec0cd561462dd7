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

const labelled = (labels: Record<string, string>) =>
  toScaleSpec(Object.fromEntries(Object.entries(labels).map(([name, value]) => [`com.openfaas.scale.${name}`, value])));

/** From labels as a function has them to what one alert makes of its replicas. */
const table: readonly (readonly [
  name: string,
  labels: Record<string, string>,
  firing: boolean,
  current: number,
  expected: number,
])[] = [
  ['no labels, firing: two more', {}, true, 1, 3],
  ['no labels, resolved: back to one', {}, false, 9, 1],
  ['no labels, at the maximum of 20', {}, true, 20, 20],
  ['no labels, one below the maximum', {}, true, 19, 20],
  ['a minimum is what a resolved alert goes back to', { min: '4' }, false, 12, 4],
  ['a resolved alert raises who is below the minimum', { min: '4' }, false, 2, 4],
  ['a resolved alert at the minimum changes nothing', { min: '4' }, false, 4, 4],
  ['a maximum of 1 never adds', { max: '1' }, true, 1, 1],
  ['a step is rounded up', { max: '15' }, true, 1, 3],
  ['a factor of 1 adds one', { factor: '1' }, true, 1, 2],
  ['a factor of 100 adds the whole maximum', { factor: '100' }, true, 3, 20],
  ['a factor of 0, firing: the minimum', { factor: '0', min: '2' }, true, 5, 2],
  ['a factor out of range is the default', { factor: '101' }, true, 1, 3],
  ['a factor below zero is the default', { factor: '-5' }, true, 1, 3],
  ['a factor that is no number is the default', { factor: 'much' }, true, 1, 3],
  ['a maximum that is no number is the default', { max: 'many' }, true, 19, 20],
  ['a maximum below zero is the default', { max: '-3' }, true, 19, 20],
  ['a maximum of more digits than there are replicas is the default', { max: '99999999999' }, true, 19, 20],
  ['a minimum that is no number is 1', { min: 'few' }, false, 7, 1],
  ['a minimum below zero is 1', { min: '-2' }, false, 7, 1],
  ['a minimum of 0 is 1', { min: '0' }, false, 7, 1],
  ['a minimum above the maximum is the maximum, firing', { min: '8', max: '5' }, true, 8, 8],
  ['a minimum above the maximum is the maximum, resolved', { min: '8', max: '5' }, false, 8, 8],
  ['more than the maximum comes down when firing', { max: '5' }, true, 50, 5],
  ['more than the maximum comes down when resolved', { max: '5' }, false, 50, 1],
  ['at zero, firing: the step', {}, true, 0, 2],
  ['at zero, firing: at least the minimum', { min: '5' }, true, 0, 5],
  ['at zero, firing, a maximum of 1', { max: '1' }, true, 0, 1],
  ['at zero, firing, a factor of 0: stays there', { factor: '0' }, true, 0, 0],
  ['at zero, resolved: stays there', { min: '3' }, false, 0, 0],
  ['empty labels are no labels', { min: '', max: '', factor: '' }, true, 1, 3],
];

for (const [name, labels, firing, current, expected] of table) {
  test(name, () => assert.equal(step(labelled(labels), firing, current), expected));
}

test('hearing the same again is harmless at both ends', () => {
  const spec = labelled({ min: '2', max: '6', factor: '50' });
  assert.equal(step(spec, true, step(spec, true, 6)), 6);
  assert.equal(step(spec, false, step(spec, false, 6)), 2);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSuspect, look, pauseMs, proved, type Sighting } from '../../../gateway/invoke/health.ts';

const quietMs = 500;

/** Looks every 100 ms at an endpoint whose load is given in turn; says at which looks it was suspect. */
const suspectAt = (loads: readonly (readonly [inFlight: number, answers: number])[], from?: Sighting): number[] => {
  let seen = from;
  const found: number[] = [];
  for (const [index, [inFlight, answers]] of loads.entries()) {
    seen = look(seen, { inFlight, answers }, index * 100);
    if (isSuspect(seen, index * 100, quietMs)) found.push(index);
  }
  return found;
};

const steady = (inFlight: number, answers: number, times: number): [number, number][] =>
  Array.from({ length: times }, () => [inFlight, answers]);

test('an endpoint with calls that begins no answer for the time is suspect', () => {
  assert.deepEqual(suspectAt(steady(3, 7, 7)), [5, 6]);
});

test('calls that keep coming do not clear it, answers do', () => {
  const arriving = Array.from({ length: 7 }, (_, i): [number, number] => [i + 1, 7]);
  assert.deepEqual(suspectAt(arriving), [5, 6]);
  assert.deepEqual(suspectAt([...steady(3, 7, 4), ...steady(3, 8, 4)]), []);
});

test('an endpoint without calls has nothing to answer', () => {
  assert.deepEqual(suspectAt([...steady(1, 0, 4), ...steady(0, 0, 10), ...steady(1, 0, 4)]), []);
});

test('one that proved alive is left in peace with the calls it had, until there is a new one', () => {
  const alive = proved({ inFlight: 2, answers: 7 }, 0);
  assert.deepEqual(suspectAt(steady(2, 7, 20), alive), []);
  assert.deepEqual(suspectAt([...steady(2, 7, 4), ...steady(3, 7, 7)], alive), [9, 10]);
  assert.deepEqual(suspectAt([...steady(2, 7, 4), ...steady(1, 7, 7)], alive), []);
});

test('the pause grows from 50 ms to 5 s', () => {
  assert.deepEqual([1, 2, 3, 7, 8, 9, 100].map(pauseMs), [50, 100, 200, 3200, 5000, 5000, 5000]);
});

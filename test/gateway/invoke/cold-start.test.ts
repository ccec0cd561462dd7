import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coldPhases, phasesOf } from '../../../gateway/invoke/cold-start.ts';
import type { StartTimes } from '../../../provider/provider.ts';
import { createRandom } from '../../helpers/random.ts';

const rows: {
  name: string;
  arrived: number;
  start: StartTimes | undefined;
  ready: number;
  answered: number;
  phases: readonly number[];
}[] = [
  {
    name: 'a caller who wakes a function sees each phase of the start',
    arrived: 1000,
    start: { begunMs: 1010, placedMs: 1030, bootedMs: 1100 },
    ready: 1400,
    answered: 1405,
    phases: [0.01, 0.02, 0.07, 0.3, 0.005],
  },
  {
    name: 'who comes in the middle of a start sees the rest of it',
    arrived: 1050,
    start: { begunMs: 1010, placedMs: 1030, bootedMs: 1100 },
    ready: 1400,
    answered: 1405,
    phases: [0, 0, 0.05, 0.3, 0.005],
  },
  {
    name: 'what the provider cannot tell counts for the next phase that it can',
    arrived: 1000,
    start: { bootedMs: 1100 },
    ready: 1400,
    answered: 1405,
    phases: [0, 0, 0.1, 0.3, 0.005],
  },
  {
    name: 'a provider that tells nothing leaves all of it to load',
    arrived: 1000,
    start: undefined,
    ready: 1400,
    answered: 1405,
    phases: [0, 0, 0, 0.4, 0.005],
  },
  {
    name: 'a call that ends up at a replica that was there before has only its answer to wait for',
    arrived: 1000,
    start: { begunMs: 10, placedMs: 20, bootedMs: 30 },
    ready: 40,
    answered: 1002,
    phases: [0, 0, 0, 0, 0.002],
  },
];

for (const { name, arrived, start, ready, answered, phases } of rows) {
  test(name, () => {
    assert.deepEqual(
      phasesOf(arrived, start, ready, answered).map((each) => Math.round(each * 1e6) / 1e6),
      phases,
    );
  });
}

test('the phases are never negative and add up to the whole, whatever order the times come in', () => {
  const random = createRandom(7);
  for (let round = 0; round < 2000; round += 1) {
    const time = (): number => random.below(1000);
    const maybe = (): number | undefined => (random.next() < 0.3 ? undefined : time());
    const arrived = time();
    const answered = arrived + time();
    const phases = phasesOf(arrived, { begunMs: maybe(), placedMs: maybe(), bootedMs: maybe() }, time(), answered);
    assert.equal(phases.length, coldPhases.length);
    assert.ok(phases.every((seconds) => seconds >= 0));
    const sum = phases.reduce((total, seconds) => total + seconds, 0);
    assert.ok(Math.abs(sum - (answered - arrived) / 1000) < 1e-9, `${sum} of ${(answered - arrived) / 1000}`);
  }
});

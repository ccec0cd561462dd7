import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, toConditions, toStanding } from '../../../provider/process/status.ts';

const facts: Facts = { desired: 1, ready: 0, current: 0, blocking: undefined, failure: undefined, lastEnd: undefined };
const running: Facts = { ...facts, ready: 1, current: 1 };
const failure = { reason: 'CrashLoop', message: 'a replica exited with code 1' };
const failing: Facts = { ...facts, blocking: failure, failure };
const timesOf = (at: Facts, standing: ReturnType<typeof toStanding>) =>
  toConditions(at, standing).map(({ type, status, lastTransitionTime }) => [type, status, Date.parse(lastTransitionTime)]);

test('the time of a condition is when its reason changed, not when somebody looked', () => {
  const starting = toStanding(facts, undefined, 1000);
  assert.equal(toStanding(facts, starting, 2000), starting);
  const answering = toStanding(running, starting, 3000);
  assert.deepEqual(timesOf(running, toStanding(running, answering, 4000)), [
    ['Ready', 'True', 3000],
    ['Healthy', 'True', 3000],
  ]);
});

test('one condition changes while the other stays', () => {
  const answering = toStanding(running, undefined, 1000);
  const updating: Facts = { ...running, current: 0 };
  assert.deepEqual(timesOf(updating, toStanding(updating, answering, 2000)), [
    ['Ready', 'True', 1000],
    ['Healthy', 'True', 2000],
  ]);
  assert.deepEqual(timesOf(failing, toStanding(failing, answering, 3000)), [
    ['Ready', 'False', 3000],
    ['Healthy', 'False', 3000],
  ]);
});

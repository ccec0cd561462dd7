import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, health } from '../../../provider/process/status.ts';

const facts: Facts = { desired: 1, ready: 1, current: 1, blocking: undefined, failure: undefined, lastEnd: undefined };
const healthOf = (more: Partial<Facts>) => health({ ...facts, ...more });

test('an update in progress shows as such until a replica of the wanted revision answers', () => {
  assert.equal(healthOf({ current: 0 }).reason, 'Updating');
  assert.equal(healthOf({ current: 0 }).status, 'True');
  assert.equal(healthOf({ current: 1 }).reason, 'Running');
  assert.equal(healthOf({ current: 0, ready: 0 }).reason, 'Starting');
  assert.equal(healthOf({ current: 0, desired: 0 }).reason, 'Running');
});

test('an update that fails shows the failure instead', () => {
  assert.equal(healthOf({ current: 0, failure: { reason: 'LoadFailed', message: 'x' } }).reason, 'LoadFailed');
});

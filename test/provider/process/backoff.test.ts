import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backoff, nextBackoff, noBackoff } from '../../../provider/process/backoff.ts';
import { defaultBackoff } from '../../../provider/process/options.ts';

test('pauses double from half a second to thirty seconds', () => {
  let state: Backoff = noBackoff;
  let nowMs = 1000;
  const pauses: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    state = nextBackoff(defaultBackoff, state, { startedAtMs: nowMs, answeredMs: 0 }, nowMs);
    pauses.push(state.retryAtMs - nowMs);
    nowMs = state.retryAtMs;
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('a replica that answered longer than ten seconds restarts at once and starts the count anew', () => {
  const failing = { failures: 5, retryAtMs: 100, failedAtMs: 90 };
  const state = nextBackoff(defaultBackoff, failing, { startedAtMs: 200, answeredMs: 10_001 }, 20_000);
  assert.equal(state.failures, 0);
  assert.ok(state.retryAtMs <= 20_000);
});

test('replicas that were started together and fail together count once', () => {
  const first = nextBackoff(defaultBackoff, noBackoff, { startedAtMs: 10, answeredMs: 0 }, 50);
  const second = nextBackoff(defaultBackoff, first, { startedAtMs: 11, answeredMs: 0 }, 52);
  assert.deepEqual(second, first);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBounded, limitsOf, noLimits } from '../../../gateway/invoke/limits.ts';

test("a function's own limits go before the gateway's, one by one", () => {
  const defaults = { ...noLimits, maxInflight: 7, maxQueue: 3 };
  const limits = limitsOf({ 'sluice.dev/max-inflight': '0', 'sluice.dev/max-queue-wait': '2s' }, defaults);
  assert.deepEqual(limits, { ...defaults, maxInflight: 0, maxQueueWaitMs: 2000 });
  const others = limitsOf(
    { 'sluice.dev/idle-timeout': '1m', 'sluice.dev/max-inflight-per-replica': '4', 'sluice.dev/max-queue': '0' },
    defaults,
  );
  assert.deepEqual(others, { ...defaults, idleTimeoutMs: 60_000, maxInflightPerReplica: 4, maxQueue: 0 });
});

test('functions without limits of their own share one object', () => {
  assert.equal(limitsOf({ topic: 'a' }, noLimits), noLimits);
});

test('only a limit on what runs can make calls wait', () => {
  assert.equal(isBounded(noLimits), false);
  assert.equal(isBounded({ ...noLimits, idleTimeoutMs: 1 }), false);
  assert.equal(isBounded({ ...noLimits, maxInflight: 1 }), true);
  assert.equal(isBounded({ ...noLimits, maxInflightPerReplica: 1 }), true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMet } from '../../bench/aim.ts';
import { type Held, type Leaks, lastPart, leakFindings } from '../../bench/leaks.ts';
import { slope } from '../../bench/stats.ts';

const held: Held = { liveBytes: 10e6, timers: 2, sockets: 3, messages: 4, handles: 5, files: 6 };
const flat = [1, 2, 3, 4, 5].map((x) => ({ x, y: 100 }));
const leaks: Leaks = {
  calls: 5e6,
  failures: 0,
  durationMs: 1000,
  resident: { gateway: flat, watchdog: flat },
  before: { gateway: held, watchdog: held },
  after: { gateway: held, watchdog: held },
};
const missed = (of: Leaks): string[] =>
  leakFindings(of)
    .filter(({ value, aim }) => aim !== undefined && !isMet(value, aim))
    .map(({ what }) => what);

test('a slope is that of the line of least squares', () => {
  assert.equal(slope([0, 1, 2, 3].map((x) => ({ x, y: 7 + 2 * x }))), 2);
  assert.equal(slope([0, 1, 2].map((x) => ({ x, y: x === 1 ? 3 : 0 }))), 0);
  assert.ok(Number.isNaN(slope([{ x: 1, y: 1 }])));
});

test('growth in the first fifth of the calls is no leak', () => {
  const points = [0.1, 0.9, 1, 2, 5].map((x) => ({ x, y: x < 1 ? 50 : 100 }));
  assert.equal(slope(lastPart(points)), 0);
});

test('calls that leave nothing behind miss no aim', () => assert.deepEqual(missed(leaks), []));

test('each thing that is left behind misses its aim', () => {
  const grown = flat.map(({ x, y }) => ({ x, y: y + 1.5 * x }));
  assert.deepEqual(missed({ ...leaks, resident: { gateway: flat, watchdog: grown } }), [
    'watchdog: slope of resident memory, last 80 %, a million calls',
  ]);
  for (const key of ['timers', 'sockets', 'messages', 'handles', 'files'] as const) {
    const after = { watchdog: held, gateway: { ...held, [key]: held[key] + 1 } };
    assert.deepEqual(missed({ ...leaks, after }), [`gateway: ${key} at the end`]);
  }
  assert.deepEqual(missed({ ...leaks, failures: 1 }), ['calls that failed']);
});

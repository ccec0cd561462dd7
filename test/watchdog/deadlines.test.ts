import assert from 'node:assert/strict';
import test from 'node:test';
import { type Bounded, Deadlines } from '../../watchdog/deadlines.ts';
import { eventually } from '../helpers/eventually.ts';

type Timed = Bounded & { deadlineMs: number; expiredAtMs: number[] };

/** Gone when it expires, unless it gets another deadline then. */
const createTimed = (deadlines: Deadlines, inMs: number, nextMs = Number.POSITIVE_INFINITY): Timed => ({
  deadlineMs: performance.now() + inMs,
  expiredAtMs: [],
  expire(nowMs) {
    assert.ok(this.deadlineMs <= nowMs, 'not before its time');
    this.expiredAtMs.push(nowMs);
    if (nextMs === Number.POSITIVE_INFINITY || this.expiredAtMs.length > 1) deadlines.forget(this);
    else this.deadlineMs = nowMs + nextMs;
  },
});

const hasExpired = (each: Timed, times = 1): Promise<boolean> =>
  eventually(() => each.expiredAtMs.length === times, { what: `expired ${times} times` });

test('each expires in its own time, also those that came later with less of it', async () => {
  const deadlines = new Deadlines();
  const [long, short] = [createTimed(deadlines, 120), createTimed(deadlines, 20)];
  deadlines.watch(long);
  deadlines.watch(short);
  await hasExpired(short);
  await hasExpired(long);
});

test('one that was forgotten does not expire, and those after it do', async () => {
  const deadlines = new Deadlines();
  const [gone, later] = [createTimed(deadlines, 10), createTimed(deadlines, 40)];
  deadlines.watch(gone);
  deadlines.watch(later);
  deadlines.forget(gone);
  await hasExpired(later);
  assert.deepEqual(gone.expiredAtMs, []);
});

test('a deadline that moved away while it was watched counts, and one that comes nearer when it is watched again', async () => {
  const deadlines = new Deadlines();
  const [moved, nearer] = [createTimed(deadlines, 10), createTimed(deadlines, 3_600_000)];
  deadlines.watch(moved);
  deadlines.watch(nearer);
  moved.deadlineMs += 30;
  nearer.deadlineMs = performance.now() + 10;
  deadlines.watch(nearer);
  await hasExpired(nearer);
  await hasExpired(moved);
});

test('one with another deadline after its first expires again', async () => {
  const deadlines = new Deadlines();
  const twice = createTimed(deadlines, 5, 10);
  deadlines.watch(twice);
  await hasExpired(twice, 2);
});

test('the end of one may be the end of another that is due as well', async () => {
  const deadlines = new Deadlines();
  const expired: string[] = [];
  const createRival = (name: string, other: () => Bounded): Bounded => ({
    deadlineMs: performance.now() + 5,
    expire() {
      expired.push(name);
      deadlines.forget(this);
      deadlines.forget(other());
    },
  });
  const first: Bounded = createRival('first', () => second);
  const second: Bounded = createRival('second', () => first);
  const last = createTimed(deadlines, 30);
  for (const each of [first, second, last]) deadlines.watch(each);
  await hasExpired(last);
  assert.deepEqual(expired, ['first']);
});

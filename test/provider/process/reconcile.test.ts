import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ReplicaFact, reconcile } from '../../../provider/process/reconcile.ts';

const replica = (id: string, revision: string, state: 'starting' | 'ready', startedAtMs = 0): ReplicaFact => ({
  id,
  revision,
  state,
  startedAtMs,
});

test('a new function starts as many replicas as it should have', () => {
  assert.deepEqual(reconcile({ revision: 'a', desired: 3, mayStart: true }, []), { start: 3, stop: [] });
});

test('nothing starts during a back-off', () => {
  assert.deepEqual(reconcile({ revision: 'a', desired: 3, mayStart: false }, []), { start: 0, stop: [] });
});

test('replicas that are starting count, so that nothing starts twice', () => {
  assert.equal(reconcile({ revision: 'a', desired: 2, mayStart: true }, [replica('1', 'a', 'starting')]).start, 1);
});

test('scaling down ends what starts before what answers, and the newest first', () => {
  const all = [replica('old', 'a', 'ready', 1), replica('new', 'a', 'ready', 2), replica('unborn', 'a', 'starting', 0)];
  assert.deepEqual(reconcile({ revision: 'a', desired: 1, mayStart: true }, all).stop, ['unborn', 'new']);
});

test('an old replica stays until one of the new revision answers in its place', () => {
  const old = [replica('1', 'a', 'ready', 1), replica('2', 'a', 'ready', 2)];
  assert.deepEqual(reconcile({ revision: 'b', desired: 2, mayStart: true }, old), { start: 2, stop: [] });
  const one = [...old, replica('3', 'b', 'ready', 3), replica('4', 'b', 'starting', 3)];
  assert.deepEqual(reconcile({ revision: 'b', desired: 2, mayStart: true }, one), { start: 0, stop: ['1'] });
});

test('old replicas serve on while the new revision fails', () => {
  assert.deepEqual(reconcile({ revision: 'b', desired: 1, mayStart: false }, [replica('1', 'a', 'ready')]), {
    start: 0,
    stop: [],
  });
});

test('replicas of a revision that was replaced before they were ready go at once', () => {
  const all = [replica('1', 'a', 'ready'), replica('2', 'b', 'starting')];
  assert.deepEqual(reconcile({ revision: 'c', desired: 1, mayStart: true }, all), { start: 1, stop: ['2'] });
});

test('at zero everything goes, whatever its revision', () => {
  const all = [replica('1', 'a', 'ready'), replica('2', 'b', 'ready'), replica('3', 'b', 'starting')];
  assert.deepEqual(reconcile({ revision: 'b', desired: 0, mayStart: true }, all).stop.toSorted(), ['1', '2', '3']);
});

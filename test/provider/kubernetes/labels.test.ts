import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLabels } from '../../../provider/kubernetes/labels.ts';

test('label values that Kubernetes takes pass', () => {
  for (const text of ['', 'a', '1', 'v1.2-rc_3', 'x'.repeat(63)]) checkLabels({ key: text });
  checkLabels(undefined);
});

test('label values that Kubernetes refuses are named with their labels, all at once', () => {
  const bad = { long: 'x'.repeat(64), edge: '-a', blank: 'a b', fine: 'yes' };
  assert.throws(() => checkLabels(bad), {
    code: 'invalid',
    message: /labels\.long: "x+"; labels\.edge: "-a"; labels\.blank: "a b": expected at most 63/,
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFinding, isMet } from '../../bench/aim.ts';

test('an aim is met at its bound and missed beyond it', () => {
  assert.ok(isMet(0.8, { atLeast: 0.8 }));
  assert.ok(!isMet(0.79, { atLeast: 0.8 }));
  assert.ok(isMet(1.3, { atMost: 1.3 }));
  assert.ok(!isMet(1.31, { atMost: 1.3 }));
});

test('what could not be measured meets no aim', () => {
  assert.ok(!isMet(Number.NaN, { atLeast: 0 }));
  assert.ok(!isMet(Number.NaN, { atMost: 1 }));
});

test('a line has the number, the aim and the verdict', () => {
  const finding = { what: 'slope', value: 0.5, unit: 'MB', digits: 2 };
  assert.match(formatFinding({ ...finding, aim: { atMost: 1 } }), /^ {2}slope +0\.50 MB {3}aim <= 1 MB: met$/);
  assert.match(formatFinding({ ...finding, value: 2, aim: { atMost: 1 } }), / 2\.00 MB {3}aim <= 1 MB: MISSED$/);
  assert.match(formatFinding(finding), /^ {2}slope +0\.50 MB$/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countAnnotation, functionTimeoutMs, settingProblems, settings, suggest } from '../../../provider/types/annotations.ts';

type Row = readonly [on: 'label' | 'annotation', key: string, value: string, problem: string | undefined];

const rows: readonly Row[] = [
  ['label', 'com.openfaas.scale.min', '2', undefined],
  ['label', 'com.openfaas.scale.min', '0', undefined],
  ['label', 'com.openfaas.scale.min', '-1', 'labels.com.openfaas.scale.min: expected a whole number of 0 or more, got "-1"'],
  ['label', 'com.openfaas.scale.max', '1.5', 'labels.com.openfaas.scale.max: expected a whole number of 0 or more, got "1.5"'],
  ['label', 'com.openfaas.scale.factor', '0', undefined],
  ['label', 'com.openfaas.scale.factor', '100', undefined],
  [
    'label',
    'com.openfaas.scale.factor',
    '101',
    'labels.com.openfaas.scale.factor: expected a whole number from 0 to 100, got "101"',
  ],
  ['label', 'com.openfaas.scale.zero', 'true', undefined],
  ['label', 'com.openfaas.scale.zero', 'yes', 'labels.com.openfaas.scale.zero: expected true or false, got "yes"'],
  ['label', 'com.openfaas.scale.zero-duration', '15m', undefined],
  ['label', 'com.openfaas.scale.zero-duration', '900', undefined],
  [
    'label',
    'com.openfaas.scale.zero-duration',
    '-1m',
    'labels.com.openfaas.scale.zero-duration: expected a duration such as 90s or 15m, got "-1m"',
  ],
  ['label', 'com.openfaas.scale.target-proportion', '0.90', undefined],
  ['label', 'com.openfaas.scale.target-proportion', '.5', undefined],
  ['label', 'com.openfaas.scale.target-proportion', '1.0', undefined],
  [
    'label',
    'com.openfaas.scale.target-proportion',
    '0.0',
    'labels.com.openfaas.scale.target-proportion: expected a number above 0 and up to 1, got "0.0"',
  ],
  [
    'label',
    'com.openfaas.scale.target-proportion',
    '1.5',
    'labels.com.openfaas.scale.target-proportion: expected a number above 0 and up to 1, got "1.5"',
  ],
  ['label', 'com.openfaas.scale.type', 'my-rule', undefined],
  ['annotation', 'com.openfaas.scale.min', 'read as a label only', undefined],
  ['label', 'canary_build', 'true', undefined],
  ['annotation', 'topic', 'a,b', undefined],
  ['annotation', 'description', '{\n  "multi": "line"\n}', undefined],
  ['annotation', 'sluice.dev/timeout', '90s', undefined],
  [
    'annotation',
    'sluice.dev/timeout',
    'soon',
    'annotations.sluice.dev/timeout: expected a duration such as 90s or 15m, got "soon"',
  ],
  [
    'annotation',
    'sluice.dev/timeot',
    '90s',
    'annotations.sluice.dev/timeot: unknown key under sluice.dev/; did you mean sluice.dev/timeout?',
  ],
  ['label', 'sluice.dev/timeout', '90s', 'labels.sluice.dev/timeout: expected as annotation, got it as label'],
];

for (const [on, key, value, problem] of rows) {
  test(`the ${on} ${key}=${JSON.stringify(value)} is ${problem === undefined ? 'accepted' : 'refused with the reason'}`, () => {
    assert.equal(settingProblems(on, { [key]: value }), problem ?? '');
  });
}

test('an unknown key under sluice.dev/ that resembles none lists those that exist', () => {
  const problem = settingProblems('annotation', { 'sluice.dev/entirely-different': '1' });
  assert.match(problem, /unknown key under sluice\.dev\/; known are .*sluice\.dev\/timeout/);
});

test('every bad label is named', () => {
  const problems = settingProblems('label', { 'com.openfaas.scale.min': 'x', 'com.openfaas.scale.max': 'y', other: 'z' });
  assert.match(problems, /^labels\.com\.openfaas\.scale\.min: .*; labels\.com\.openfaas\.scale\.max: [^;]*$/);
});

test('a problem is short whatever the labels are, and of many the first are named and the others counted', () => {
  const long = settingProblems('label', {
    [`sluice.dev/${'k'.repeat(100_000)}`]: 'x',
    'com.openfaas.scale.min': 'y'.repeat(100_000),
  });
  assert.ok(long.length < 500, `${long.length}`);
  const many = settingProblems('label', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`sluice.dev/k${i}`, 'x'])));
  assert.ok(many.startsWith('labels.sluice.dev/k0: ') && many.endsWith('; and 980 more'), many);
});

test('the table has each key once, with a word of explanation', () => {
  assert.equal(new Set(settings.map((setting) => setting.key)).size, settings.length);
  for (const setting of settings) assert.ok(setting.doc.length > 5, setting.key);
});

test('every default in the table passes its own check', () => {
  const literal = settings.filter((setting) => !setting.default.includes("gateway's"));
  for (const setting of literal) assert.equal(settingProblems(setting.on, { [setting.key]: setting.default }), '');
});

test('a slip of the finger is suggested, another word is not', () => {
  assert.equal(suggest('nod', ['node', 'python3']), 'node');
  assert.equal(suggest('pyhton3', ['node', 'python3']), 'python3');
  assert.equal(suggest('cobol', ['node', 'python3']), undefined);
  assert.equal(suggest('node', []), undefined);
});

test('an annotation that is a count is read, one that is none is as if it were not there', () => {
  assert.equal(countAnnotation({ 'sluice.dev/max-queue': '0' }, 'sluice.dev/max-queue'), 0);
  assert.equal(countAnnotation({ 'sluice.dev/max-queue': 'x' }, 'sluice.dev/max-queue'), undefined);
  assert.equal(countAnnotation(undefined, 'sluice.dev/max-queue'), undefined);
});

test("a function's own timeout is read in milliseconds, one that is no duration or ends before it begins is none", () => {
  assert.equal(functionTimeoutMs({ 'sluice.dev/timeout': '90s' }), 90_000);
  assert.equal(functionTimeoutMs({ 'sluice.dev/timeout': '0' }), 0);
  assert.equal(functionTimeoutMs({ 'sluice.dev/timeout': 'soon' }), undefined);
  assert.equal(functionTimeoutMs({ 'sluice.dev/timeout': '-90s' }), undefined);
  assert.equal(functionTimeoutMs({}), undefined);
  assert.equal(functionTimeoutMs(undefined), undefined);
});

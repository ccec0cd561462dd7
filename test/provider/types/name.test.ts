import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLabelName, formatRef, isLabelName, isSubdomainName, parseRef } from '../../../provider/types/name.ts';

const names: readonly (readonly [text: string, label: boolean, subdomain: boolean])[] = [
  ['fn', true, true],
  ['f', true, true],
  ['0', true, true],
  ['a-b--c9', true, true],
  ['a'.repeat(63), true, true],
  ['a'.repeat(64), false, true],
  [`${'a'.repeat(251)}.b`, false, true],
  [`${'a'.repeat(252)}.b`, false, false],
  ['fn.a', false, true],
  ['a.b.c', false, true],
  ['', false, false],
  ['-fn', false, false],
  ['fn-', false, false],
  ['My_Fn', false, false],
  ['FN', false, false],
  ['.', false, false],
  ['..', false, false],
  ['.a', false, false],
  ['a.', false, false],
  ['a..b', false, false],
  ['a.-b', false, false],
  ['a/b', false, false],
  ['a b', false, false],
  ['fn\n', false, false],
  ['fñ', false, false],
];

for (const [text, label, subdomain] of names) {
  test(`fact 64: ${JSON.stringify(text.slice(0, 20))} is ${label ? 'a' : 'no'} label and ${subdomain ? 'a' : 'no'} subdomain`, () => {
    assert.equal(isLabelName(text), label);
    assert.equal(isSubdomainName(text), subdomain);
  });
}

const refs: readonly (readonly [text: string, name: string, namespace: string])[] = [
  ['fn', 'fn', 'openfaas-fn'],
  ['fn.dev', 'fn', 'dev'],
  ['a.b.c', 'a.b', 'c'],
  ['.openfaas-fn', '', 'openfaas-fn'],
  ['fn.', 'fn', ''],
  ['', '', 'openfaas-fn'],
];

for (const [text, name, namespace] of refs) {
  test(`fact 21: ${JSON.stringify(text)} is split at its last dot`, () => {
    assert.deepEqual(parseRef(text), { name, namespace });
  });
}

test('a reference without namespace gets the fallback that was asked for', () => {
  assert.deepEqual(parseRef('fn', 'dev'), { name: 'fn', namespace: 'dev' });
});

test('a formatted reference reads as itself', () => {
  for (const ref of [
    { name: 'fn', namespace: 'dev' },
    { name: 'a.b', namespace: 'c' },
  ]) {
    assert.deepEqual(parseRef(formatRef(ref)), ref);
  }
});

test('a name that breaks the rule is refused naming field, rule and value', () => {
  assert.equal(checkLabelName('service', 'fn'), 'fn');
  assert.throws(() => checkLabelName('service', 'My_Fn'), {
    code: 'invalid',
    message:
      'service: expected at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit, got "My_Fn"',
  });
});

test('a very long name is judged at once', () => {
  const text = `${'a-'.repeat(500_000)}!`;
  const started = performance.now();
  assert.equal(isLabelName(text) || isSubdomainName(text), false);
  assert.ok(performance.now() - started < 1000);
});

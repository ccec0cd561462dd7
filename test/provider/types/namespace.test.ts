import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FunctionNamespace } from '../../../provider/types/namespace.ts';
import { parse } from '../../../provider/types/validate.ts';

test('a namespace without labels and annotations has none', () => {
  for (const body of [{ name: 'dev' }, { name: 'dev', labels: null, annotations: null }]) {
    const { name, labels, annotations } = parse(FunctionNamespace, body);
    assert.deepEqual({ name, labels, annotations }, { name: 'dev', labels: {}, annotations: {} });
  }
});

test('labels and annotations of a namespace are kept', () => {
  const body = { name: 'dev', labels: { openfaas: '1' }, annotations: { openfaas: '1', team: 'a' } };
  assert.deepEqual(parse(FunctionNamespace, body), body);
});

for (const [body, message] of [
  [{}, /^name: expected a namespace name, got nothing$/],
  [{ name: 'A' }, /^name: expected at most 63 .*, got "A"$/],
  [{ name: 'a.b' }, /^name: expected at most 63 /],
  [{ name: 'a'.repeat(64) }, /^name: expected at most 63 /],
  [{ name: 'a', labels: { b: 1 } }, /^labels\.b: expected a text, got 1$/],
  [{ name: 'a', annotations: 'b' }, /^annotations: expected an object of texts, got "b"$/],
] as const) {
  test(`the namespace ${JSON.stringify(body).slice(0, 40)} is refused`, () => {
    assert.throws(() => parse(FunctionNamespace, body), { code: 'invalid', message });
  });
}

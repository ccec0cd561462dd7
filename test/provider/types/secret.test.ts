import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxSecretBytes, parseSecret, parseSecretRef } from '../../../provider/types/secret.ts';

test('a secret of text is taken as its bytes', () => {
  assert.deepEqual(parseSecret({ name: 'api-key', value: 'ä ' }, 'openfaas-fn'), {
    name: 'api-key',
    namespace: 'openfaas-fn',
    value: Buffer.from('ä '),
  });
});

test('fact 115: rawValue is taken byte for byte and wins over value', () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  const body = { name: 'a', namespace: 'dev', value: 'x', rawValue: bytes.toString('base64') };
  assert.deepEqual(parseSecret(body, 'openfaas-fn'), { name: 'a', namespace: 'dev', value: bytes });
});

test('an empty rawValue leaves the value in place', () => {
  for (const rawValue of ['', null]) assert.equal(parseSecret({ name: 'a', value: 'x', rawValue }, 'n').value.toString(), 'x');
});

test('a type is taken when there is one, and an unknown one is refused with those that there are', () => {
  const login = 'kubernetes.io/dockerconfigjson';
  assert.equal(parseSecret({ name: 'a', value: 'x', type: login }, 'n').type, login);
  assert.equal('type' in parseSecret({ name: 'a', value: 'x', type: null }, 'n'), false);
  assert.throws(() => parseSecret({ name: 'a', value: 'x', type: 'kubernetes.io/tls' }, 'n'), {
    code: 'invalid',
    message: /^type: expected Opaque or kubernetes\.io\/dockerconfigjson, got "kubernetes\.io\/tls"/,
  });
});

test('the largest secret passes and one byte more does not', () => {
  const rawValue = Buffer.alloc(maxSecretBytes, 7).toString('base64');
  assert.equal(parseSecret({ name: 'a', rawValue }, 'n').value.length, maxSecretBytes);
  assert.throws(() => parseSecret({ name: 'a', value: 'x'.repeat(maxSecretBytes + 1) }, 'n'), {
    code: 'too-large',
    message: `value: expected at most ${maxSecretBytes} bytes, got ${maxSecretBytes + 1}`,
  });
});

for (const name of ['', '..', '../a', 'a/b', 'A', 'a_b', 'a b', 5, null]) {
  test(`a secret named ${JSON.stringify(name)} is refused`, () => {
    assert.throws(() => parseSecret({ name, value: 'x' }, 'n'), { code: 'invalid', message: /^name: expected / });
    assert.throws(() => parseSecretRef({ name }, 'n'), { code: 'invalid', message: /^name: expected / });
  });
}

for (const body of [
  { name: 'a', rawValue: 'hunter2!' },
  { name: 'a', value: { deep: 'hunter2!' } },
  { name: 'A', value: 'hunter2!' },
  ['hunter2!'],
  'hunter2!',
]) {
  test(`the refusal of ${JSON.stringify(body)} does not repeat the value`, () => {
    assert.throws(
      () => parseSecret(body, 'n'),
      (error: Error) => error.message.includes('expected') && !error.message.includes('hunter2'),
    );
  });
}

test('a reference without namespace is in the fallback', () => {
  assert.deepEqual(parseSecretRef({ name: 'a.b', namespace: '' }, 'dev'), { name: 'a.b', namespace: 'dev' });
});

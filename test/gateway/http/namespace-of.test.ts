import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceOf } from '../../../gateway/http/namespace-of.ts';
import type { NamespaceSource } from '../../../gateway/http/route.ts';

const settle = (source: NamespaceSource, query: string, body: unknown, name = ''): string | undefined =>
  namespaceOf(source, { name, query: new URLSearchParams(query), body }, 'openfaas-fn');

test('facts 71 and 94: a namespace is taken from the body or from the query', () => {
  assert.equal(settle('body', '', { namespace: 'a' }), 'a');
  assert.equal(settle('body', 'namespace=b', {}), 'b');
  assert.equal(settle('body', 'namespace=b', { namespace: 'b' }), 'b');
  assert.equal(settle('body', 'namespace=', { namespace: '' }), 'openfaas-fn');
  assert.equal(settle('body', '', undefined), 'openfaas-fn');
});

test('two different namespaces in body and query are refused', () => {
  assert.throws(() => settle('body', 'namespace=b', { namespace: 'a' }), {
    code: 'invalid',
    message: 'namespace: expected the same in body and query, got "a" and "b"',
  });
});

test('a route with its namespace in the query does not look at a body', () => {
  assert.equal(settle('query', '', { namespace: 'a' }), 'openfaas-fn');
});

test('fact 124: of a repeated namespace the last counts', () => {
  assert.equal(settle('query', 'namespace=a&namespace=b', undefined), 'b');
});

test('a namespace that cannot be one is refused wherever it stands', () => {
  assert.throws(() => settle('query', 'namespace=../etc', undefined), {
    code: 'invalid',
    message: /^namespace: expected at most 63/,
  });
  assert.throws(() => settle('body', '', { namespace: 'A' }), { code: 'invalid' });
  assert.throws(() => settle('path', '', undefined, 'a.b'), { code: 'invalid' });
});

test('a namespace as resource comes from the path or the name in the body', () => {
  assert.equal(settle('path', 'namespace=b', { namespace: 'a' }, 'c'), 'c');
  assert.equal(settle('body-name', '', { name: 'd' }), 'd');
  assert.equal(settle('none', 'namespace=b', { namespace: 'a' }), undefined);
});

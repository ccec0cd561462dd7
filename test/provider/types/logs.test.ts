import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLogQuery } from '../../../provider/types/logs.ts';

const query = (text: string) => parseLogQuery(new URLSearchParams(text), 'openfaas-fn');

test('a query with a name alone asks for all that is there, once', () => {
  assert.deepEqual(query('name=fn'), {
    name: 'fn',
    namespace: 'openfaas-fn',
    instance: undefined,
    tail: undefined,
    follow: false,
    sinceMs: undefined,
  });
});

test('a full query is read', () => {
  const text = 'name=fn&namespace=dev&instance=i1&tail=5&follow=true&since=2024-05-06T07:08:09.123456789%2B02:00';
  assert.deepEqual(query(text), {
    name: 'fn',
    namespace: 'dev',
    instance: 'i1',
    tail: 5,
    follow: true,
    sinceMs: Date.UTC(2024, 4, 6, 5, 8, 9, 123),
  });
});

test('fact 124: of a repeated key the last value wins', () => {
  const got = query('name=a&name=b&tail=1&tail=2&follow=1&follow=0&since=x&since=2024-05-06T07:08:09Z');
  assert.deepEqual([got.name, got.tail, got.follow, got.sinceMs], ['b', 2, false, Date.UTC(2024, 4, 6, 7, 8, 9)]);
});

for (const [text, tail] of [
  ['', undefined],
  ['0', undefined],
  ['-1', undefined],
  ['+3', 3],
  ['10', 10],
] as const) {
  test(`a tail of ${JSON.stringify(text)} is ${tail ?? 'unlimited'}`, () => {
    assert.equal(query(`name=fn&tail=${encodeURIComponent(text)}`).tail, tail);
  });
}

for (const text of ['abc', '1.5', '+', '-', '1e3', '0x1', ' 1']) {
  test(`fact 121: a tail of ${JSON.stringify(text)} is refused with 422`, () => {
    assert.throws(() => query(`name=fn&tail=${encodeURIComponent(text)}`), {
      code: 'unprocessable',
      message: `tail: expected a whole number, got ${JSON.stringify(text)}`,
    });
  });
}

for (const text of [
  'yesterday',
  '5m',
  '2024-05-06',
  '2024-05-06T07:08',
  '2024-05-06T07:08:09',
  '2024-13-06T07:08:09Z',
  '1714979289',
]) {
  test(`fact 121: since ${text} is refused with 422`, () => {
    assert.throws(() => query(`name=fn&since=${text}`), {
      code: 'unprocessable',
      message: `since: expected an RFC 3339 time, got ${JSON.stringify(text)}`,
    });
  });
}

test("follow is on for Go's forms of true and off for anything else", () => {
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(query(`name=fn&follow=${text}`).follow, true);
  for (const text of ['', '0', 'yes', 'tRUE', 'false']) assert.equal(query(`name=fn&follow=${text}`).follow, false);
});

test('a query without a name is refused', () => {
  assert.throws(() => query('tail=1'), { code: 'invalid', message: 'name: expected the name of a function, got nothing' });
});

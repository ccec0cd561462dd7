import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopByHop, namedByConnection } from '../../../provider/types/headers.ts';

test('fact 30: every header that belongs to one connection is in the list, in lower case', () => {
  const expected =
    'Connection Proxy-Connection Keep-Alive Proxy-Authenticate Proxy-Authorization Te Trailer Transfer-Encoding Upgrade';
  assert.deepEqual([...hopByHop].sort(), expected.toLowerCase().split(' ').sort());
});

for (const [value, names] of [
  ['', []],
  ['close', []],
  ['keep-alive', []],
  ['X-Secret', ['x-secret']],
  ['close, X-A,x-b ,, ', ['x-a', 'x-b']],
  ['Upgrade', ['upgrade']],
] as const) {
  test(`Connection: ${JSON.stringify(value)} names ${names.length === 0 ? 'no header' : names.join(' and ')}`, () => {
    assert.deepEqual(namedByConnection(value), names);
  });
}

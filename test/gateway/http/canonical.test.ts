import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalUrl } from '../../../gateway/http/canonical.ts';

const rows: [url: string, to: string | undefined][] = [
  ['/', undefined],
  ['/function/fn', undefined],
  ['/function/fn/', undefined],
  ['/function/fn/.hidden/..a/b...', undefined],
  ['/a?x=//../', undefined],
  ['/a%2F%2Fb/%2e%2e/c', undefined],
  ['//', '/'],
  ['//evil.example/a', '/evil.example/a'],
  ['/a//b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b/', '/b/'],
  ['/a/..', '/'],
  ['/a/.', '/a'],
  ['/../../etc', '/etc'],
  ['/a//b?c=d//e', '/a/b?c=d//e'],
];
for (const [url, to] of rows) {
  test(`fact 15: ${url} is ${to === undefined ? 'canonical' : `redirected to ${to}`}`, () => assert.equal(canonicalUrl(url), to));
}

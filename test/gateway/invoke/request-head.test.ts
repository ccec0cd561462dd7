import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Invocation } from '../../../gateway/invoke/invocation.ts';
import { requestHead } from '../../../gateway/invoke/request-head.ts';

const invocation = (changes: Partial<Invocation>): Invocation => ({
  key: 'fn.openfaas-fn',
  method: 'GET',
  target: '/',
  headers: [],
  body: undefined,
  callId: 'id',
  origin: 'event',
  ...changes,
});

const linesOf = (changes: Partial<Invocation>): string[] => requestHead(invocation(changes), 'localhost').text.split('\r\n');

test('the first lines are ours, then come the headers as they are, then the framing', () => {
  assert.deepEqual(
    linesOf({ method: 'PUT', target: '/x?y', headers: ['A', '1', 'HOST', 'h', 'a', '\xe9'], body: Buffer.from('abc') }),
    ['PUT /x?y HTTP/1.1', 'host: h', 'connection: keep-alive', 'A: 1', 'a: \xe9', 'content-length: 3', '', ''],
  );
});

test('a request says how long its body is, not how long a header says', () => {
  const framing = (changes: Partial<Invocation>): string | undefined => linesOf(changes)[3];
  const body = (): Readable => Readable.from(['abc']);
  assert.equal(framing({ headers: ['Content-Length', '9'], body: Buffer.from('abc') }), 'content-length: 3');
  assert.equal(framing({ headers: ['Content-Length', '9'] }), '');
  assert.equal(framing({ method: 'POST' }), 'content-length: 0');
  assert.equal(framing({ method: 'DELETE', body: Buffer.alloc(0) }), '');
  assert.equal(framing({ method: 'DELETE', headers: ['content-length', '9'], body: body() }), 'content-length: 9');
  assert.equal(framing({ body: body() }), 'transfer-encoding: chunked');
});

test('what would end a line, or be another request, is refused', () => {
  const attack = 'a\r\n\r\nGET /evil HTTP/1.1';
  const cases: readonly (readonly [Partial<Invocation>, RegExp])[] = [
    [{ method: attack }, /method/],
    [{ method: '' }, /method/],
    [{ target: `/${attack}` }, /path/],
    [{ target: '/a b' }, /path/],
    [{ target: '/\u0100' }, /path/],
    [{ headers: [attack, ''] }, /name of a header/],
    [{ headers: ['A', attack] }, /A: /],
    [{ headers: ['A', '\u010a'] }, /A: /],
    [{ headers: ['A', 'a\x7fb'] }, /A: /],
    [{ headers: ['Host', attack] }, /Host: /],
    [{ headers: ['Transfer-Encoding', 'chunked'] }, /Transfer-Encoding/],
    [{ headers: ['Content-Length', '1, 1'], body: Readable.from(['a']) }, /Content-Length/],
  ];
  for (const [changes, message] of cases) assert.throws(() => requestHead(invocation(changes), 'localhost'), message);
});

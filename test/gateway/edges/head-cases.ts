// Requests whose head is not what HTTP says, or asks for what is not its to ask.
import assert from 'node:assert/strict';
import { ask, chunked, forwarded, get, type HostileCase, inChunks, inner, ofLength, passed, post, refused } from './case.ts';

export const heads: readonly HostileCase[] = [
  { name: 'lines that end in a line feed', send: 'GET /function/fn/x HTTP/1.1\nHost: h\n\n', ...refused },
  { name: 'one header line that ends in a line feed', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\nX: y\r\n\r\n', ...refused },
  { name: 'a carriage return in a value', send: get(['X: a\rContent-Length: 5']), ...refused },
  { name: 'a line feed alone in a value', send: get(['X: a\nTransfer-Encoding: chunked']), ...refused },
  { name: 'a folded line', send: get(['X: a\r\n b']), ...refused },
  { name: 'a space before the first header', send: 'GET /function/fn/x HTTP/1.1\r\n Host: h\r\n\r\n', ...refused },
  { name: 'NUL in a value', send: get(['X: a\0b']), ...refused },
  { name: 'NUL in a name', send: get(['X\0Y: a']), ...refused },
  { name: 'NUL in the path', send: get([], '/a\0b'), ...refused },
  { name: 'DEL in a value', send: get(['X: a\x7fb']), ...refused },
  { name: 'a line without a colon', send: get(['Content-Length']), ...refused },
  { name: 'an empty name', send: get([': x']), ...refused },
  { name: 'a space in a name', send: get(['X Y: a']), ...refused },
  { name: 'a letter of another alphabet in a name', send: get(['X\xe9: a']), ...refused },
  { name: 'a tab for a space in the request line', send: 'GET\t/function/fn/x\tHTTP/1.1\r\nHost: h\r\n\r\n', ...refused },
  {
    name: 'two spaces in the request line are one',
    ...passed,
    send: 'GET  /function/fn/x HTTP/1.1\r\nHost: h\r\n\r\n',
    upstream: forwarded('GET /x'),
  },
  { name: 'a space at the end of the request line', send: 'GET /function/fn/x HTTP/1.1 \r\nHost: h\r\n\r\n', ...refused },
  { name: 'a letter of another alphabet in the path', send: get([], '/\xe9'), ...refused },
  { name: 'a space in the path', send: get([], '/a b'), ...refused },
  { name: 'no version', send: 'GET /function/fn/x\r\nHost: h\r\n\r\n', ...refused },
  { name: 'HTTP/0.9 written out', send: ask('GET /function/fn/x', [], '', '0.9'), ...refused },
  { name: 'HTTP/1.2', send: ask('GET /function/fn/x', [], '', '1.2'), ...refused },
  { name: 'HTTP/2.0 in the clothes of 1.1', send: ask('GET /function/fn/x', [], '', '2.0'), ...refused },
  { name: 'the preface of HTTP/2', send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ...refused },
  { name: 'a TLS hello', send: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', ...refused },
  { name: 'a method in small letters', send: 'get /function/fn/x HTTP/1.1\r\nHost: h\r\n\r\n', ...refused },
  { name: 'a method that nobody knows', send: ask('HACK /function/fn/x', []), ...refused },
  { name: 'empty lines before a request are skipped', ...passed, send: `\r\n\r\n${get()}`, upstream: forwarded('GET /x') },
  {
    name: 'a head over 1 MiB',
    answers: ['431 gateway headers-too-large'],
    after: 'closed',
    upstream: '',
    send: get([`X: ${'x'.repeat(1024 * 1024)}`]),
  },
  {
    name: 'a path over 1 MiB',
    answers: ['431 gateway headers-too-large'],
    after: 'closed',
    upstream: '',
    send: get([], `/${'x'.repeat(1024 * 1024)}`),
  },
];

export const hosts: readonly HostileCase[] = [
  { name: 'two Hosts', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nhost: evil\r\n\r\n', ...refused },
  { name: 'the same Host twice', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n', ...refused },
  { name: 'no Host', send: 'GET /function/fn/x HTTP/1.1\r\n\r\n', ...refused },
  { name: 'a Host with a space', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h evil\r\n\r\n', ...refused },
  { name: 'a Host with a path', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h/evil\r\n\r\n', ...refused },
  { name: 'a Host with a user', send: 'GET /function/fn/x HTTP/1.1\r\nHost: user@h\r\n\r\n', ...refused },
  { name: 'a Host of another alphabet', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\xe9\r\n\r\n', ...refused },
];

export const connections: readonly HostileCase[] = [
  {
    name: 'Connection names what the platform adds: it is added all the same',
    ...passed,
    send: get([
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Host: evil',
      'Connection: X-Forwarded-For, X-Forwarded-Host, X-Call-Id, X-Start-Time, User-Agent',
    ]),
    upstream: forwarded('GET /x'),
  },
  {
    name: 'Connection names Host, Content-Length and Content-Type: they stay',
    ...passed,
    send: post(['Content-Type: a/b', 'Content-Length: 5', 'Connection: host, content-length, Content-Type'], 'hello'),
    upstream: forwarded('POST /x', { headers: ['Content-Type: a/b'], end: ofLength('hello') }),
  },
  {
    name: 'Connection names Transfer-Encoding: the body stays chunked',
    ...passed,
    send: post([chunked, 'Connection: Transfer-Encoding'], `5\r\nhello\r\n0\r\n\r\n`),
    upstream: forwarded('POST /x', { end: inChunks('hello') }),
  },
  {
    name: 'two Connection headers, both are obeyed and neither is passed on',
    ...passed,
    send: get(['X-A: 1', 'X-B: 2', 'X-C: 3', 'Connection: x-a', 'Connection: ,, X-B ,keep-alive']),
    upstream: forwarded('GET /x', { headers: ['X-C: 3'] }),
  },
  {
    name: 'hop-by-hop headers end here',
    ...passed,
    send: get([
      'Keep-Alive: timeout=1',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: x',
      'Proxy-Authenticate: y',
      'TE: trailers',
      'Trailer: X',
      'Upgrade: h2c',
      'X: y',
    ]),
    upstream: forwarded('GET /x', { headers: ['X: y'] }),
  },
  {
    name: 'Connection: close is obeyed',
    answers: ['200 function'],
    after: 'closed',
    send: get(['Connection: close']),
    upstream: forwarded('GET /x'),
  },
  {
    name: 'close among others is obeyed',
    answers: ['200 function'],
    after: 'closed',
    send: get(['X-A: 1', 'Connection: X-A, close']),
    upstream: forwarded('GET /x'),
  },
];

export const targets: readonly HostileCase[] = [
  {
    name: 'the absolute form goes before Host',
    ...passed,
    send: 'GET http://real/function/fn/x HTTP/1.1\r\nHost: h\r\n\r\n',
    upstream: forwarded('GET /x', { host: 'real' }),
  },
  { name: 'the absolute form with a user in it', send: ask('GET http://user:pass@h/function/fn/x', []), ...refused },
  { name: 'the absolute form without a host', send: ask('GET http:///function/fn/x', []), ...refused },
  { name: 'the absolute form of another scheme', send: ask('GET ftp://h/function/fn/x', []), ...refused },
  { name: 'the absolute form of file', send: ask('GET file:///function/fn/x', []), ...refused },
  { name: 'the authority form with GET', send: ask('GET h:80', []), ...refused },
  { name: 'the asterisk form with GET', send: ask('GET *', []), ...refused },
  {
    name: 'the asterisk form with OPTIONS asks about the gateway itself',
    answers: ['204 other'],
    after: 'kept',
    upstream: '',
    send: ask('OPTIONS *', []),
  },
  { name: 'a path without its slash', send: ask('GET function/fn/x', []), ...refused },
  {
    name: 'CONNECT',
    answers: ['405 gateway method-not-allowed'],
    after: 'closed',
    upstream: '',
    send: `${ask('CONNECT h:80', [])}${inner}`,
  },
  {
    name: 'TRACE',
    answers: ['405 gateway method-not-allowed'],
    after: 'kept',
    upstream: '',
    send: ask('TRACE /function/fn/x', []),
  },
  {
    name: 'an encoded slash is a byte of the path',
    ...passed,
    send: get([], '/a%2Fb%2f..%2f'),
    upstream: forwarded('GET /a%2Fb%2f..%2f'),
  },
  {
    name: 'encoded dots are bytes of the path',
    ...passed,
    send: get([], '/%2e%2e/%2E/x'),
    upstream: forwarded('GET /%2e%2e/%2E/x'),
  },
  {
    name: 'an encoded line end in the path stays encoded',
    ...passed,
    send: get([], '/x%0d%0aX:%20y'),
    upstream: forwarded('GET /x%0d%0aX:%20y'),
  },
  { name: 'a fragment is passed as it came', ...passed, send: get([], '/x?a#b'), upstream: forwarded('GET /x?a#b') },
  {
    name: 'dots that climb out of the function are redirected',
    answers: ['301 other'],
    after: 'kept',
    upstream: '',
    send: get([], '/../../system/functions'),
    check: [
      (answer) =>
        assert.deepEqual(
          answer.headers.find(([name]) => name === 'Location'),
          ['Location', '/system/functions'],
        ),
    ],
  },
  {
    name: 'two slashes are redirected, and never to another host',
    answers: ['301 other'],
    after: 'kept',
    upstream: '',
    send: ask('GET /.//\\evil.example/x', []),
    check: [
      (answer) =>
        assert.deepEqual(
          answer.headers.find(([name]) => name === 'Location'),
          ['Location', '/%5Cevil.example/x'],
        ),
    ],
  },
  {
    name: 'an encoded name is no name',
    answers: ['404 gateway not-found'],
    after: 'kept',
    upstream: '',
    send: ask('GET /function/f%6E/x', []),
  },
];

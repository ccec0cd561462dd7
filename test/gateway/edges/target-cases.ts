// Request targets of every form, and paths that lead somewhere else.
import assert from 'node:assert/strict';
import { ask, forwarded, get, type HostileCase, handshake, inner, passed, refused, socketHeaders } from './case.ts';

export const targets: readonly HostileCase[] = [
  {
    name: 'the absolute form goes before Host',
    ...passed,
    send: 'GET http://real/function/fn/x HTTP/1.1\r\nHost: h\r\n\r\n',
    upstream: forwarded('GET /x', { host: 'real' }),
  },
  {
    name: 'the absolute form in HTTP/1.0 needs no Host',
    answers: ['200 function'],
    after: 'closed',
    send: 'GET http://real/function/fn/x HTTP/1.0\r\n\r\n',
    upstream: forwarded('GET /x', { host: 'real' }),
  },
  {
    name: 'the absolute form of a WebSocket handshake is an ordinary request',
    ...passed,
    send: handshake([], '', 'GET http://real/function/fn/x'),
    upstream: forwarded('GET /x', { host: 'real', headers: socketHeaders }),
  },
  { name: 'the absolute form without Host', send: 'GET http://real/function/fn/x HTTP/1.1\r\n\r\n', ...refused },
  { name: 'the absolute form with two Hosts', send: ask('GET http://real/function/fn/x', ['Host: i']), ...refused },
  {
    name: 'the absolute form with a Host that is none',
    send: 'GET http://h/function/fn/x HTTP/1.1\r\nHost: a b\r\n\r\n',
    ...refused,
  },
  { name: 'the absolute form with a port that is no number', send: ask('GET http://h:evil/function/fn/x', []), ...refused },
  { name: 'the absolute form with a backslash', send: ask('GET http://h\\@evil/function/fn/x', []), ...refused },
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
    name: 'CONNECT to the path of a function',
    answers: ['405 gateway method-not-allowed'],
    after: 'closed',
    upstream: '',
    send: `${ask('CONNECT /function/fn/x', [`Content-Length: ${inner.length}`], inner)}${inner}`,
  },
  {
    name: 'TRACE with a request in its body',
    answers: ['405 gateway method-not-allowed'],
    after: 'kept',
    upstream: '',
    send: ask('TRACE /function/fn/x', [`Content-Length: ${inner.length}`], inner),
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
    name: 'dots in the absolute form are redirected, too',
    answers: ['301 other'],
    after: 'kept',
    upstream: '',
    send: ask('GET http://h/function/fn/../../system/functions', []),
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

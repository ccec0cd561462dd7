// Requests that offer another protocol, and do not mean it.
import assert from 'node:assert/strict';
import {
  ask,
  chunk,
  chunked,
  forwarded,
  get,
  type HostileCase,
  handedOver,
  handshake,
  inChunks,
  inner,
  ofLength,
  passed,
  refused,
  says,
  socketHeaders,
} from './case.ts';

export const upgrades: readonly HostileCase[] = [
  {
    name: 'a WebSocket handshake with a body is an ordinary request, the last one',
    answers: ['200 function'],
    after: 'closed',
    send: handshake(['Content-Length: 5'], 'hello'),
    upstream: forwarded('GET /x', { headers: socketHeaders, end: ofLength('hello') }),
  },
  {
    name: 'a WebSocket handshake with a chunked body is an ordinary request, the last one',
    answers: ['200 function'],
    after: 'closed',
    send: handshake([chunked], `${chunk(inner)}0\r\n\r\n`),
    upstream: forwarded('GET /x', { headers: socketHeaders, end: inChunks(inner) }),
  },
  {
    name: 'a WebSocket handshake with POST is an ordinary request',
    ...passed,
    send: handshake(['Content-Length: 0'], '', 'POST /function/fn/x'),
    upstream: forwarded('POST /x', { headers: socketHeaders, end: ofLength('') }),
  },
  {
    name: 'a WebSocket handshake in HTTP/1.0 is an ordinary request',
    answers: ['200 function'],
    after: 'closed',
    send: ask('GET /function/fn/x', ['Connection: Upgrade', 'Upgrade: websocket'], '', '1.0'),
    upstream: forwarded('GET /x'),
  },
  { name: 'a WebSocket handshake with two Hosts', send: handshake(['Host: evil']), ...refused },
  {
    name: 'a WebSocket handshake to an unknown function',
    answers: ['404 gateway not-found'],
    after: 'closed',
    upstream: '',
    send: handshake([], inner, 'GET /function/nobody'),
  },
  {
    name: 'Upgrade without Connection: Upgrade is an ordinary request',
    ...passed,
    send: get(['Upgrade: websocket']),
    upstream: forwarded('GET /x'),
  },
  {
    name: 'a request behind a handshake that the function declines is not served',
    answers: ['426 function'],
    after: 'closed',
    send: handshake([], inner),
    function: says('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'),
    check: [(answer) => assert.equal(answer.body, 'no')],
    upstream: handedOver,
  },
];

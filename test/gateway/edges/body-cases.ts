// Bodies that hold requests, requests behind requests, and bodies that are not asked for.
import assert from 'node:assert/strict';
import {
  ask,
  chunk,
  chunked,
  forwarded,
  get,
  type HostileCase,
  handshake,
  hello,
  inChunks,
  inner,
  ofLength,
  passed,
  post,
  says,
  socketHeaders,
} from './case.ts';

const withBody = (method: string): HostileCase => ({
  name: `a request in the body of ${method}`,
  ...passed,
  methods: [method],
  send: ask(`${method} /function/fn/x`, [`Content-Length: ${inner.length}`], inner),
  upstream: forwarded(`${method} /x`, { end: ofLength(inner) }),
});

const withChunkedBody = (method: string): HostileCase => ({
  name: `a request in the chunked body of ${method}`,
  ...passed,
  methods: [method],
  send: ask(`${method} /function/fn/x`, [chunked], `${chunk(inner)}0\r\n\r\n`),
  upstream: forwarded(`${method} /x`, { end: inChunks(inner) }),
});

const methods = ['GET', 'DELETE', 'HEAD', 'OPTIONS'];

export const bodies: readonly HostileCase[] = [
  ...methods.map(withBody),
  ...methods.map(withChunkedBody),
  {
    name: 'a length of nothing on GET, DELETE and POST',
    ...passed,
    answers: ['200 function', '200 function', '200 function'],
    methods: ['GET', 'DELETE', 'POST'],
    send: ['GET', 'DELETE', 'POST'].map((method) => ask(`${method} /function/fn/x`, ['Content-Length: 0'])),
    upstream: forwarded('GET /x') + forwarded('DELETE /x') + forwarded('POST /x', { end: ofLength('') }),
  },
  {
    name: 'a body after a refusal is not read as a request',
    answers: ['404 gateway not-found'],
    after: 'kept',
    upstream: '',
    send: ask('POST /function/nobody', [`Content-Length: ${inner.length}`], inner),
  },
  {
    name: 'a body after a redirect is not read as a request',
    answers: ['301 other'],
    after: 'kept',
    upstream: '',
    send: ask('POST /function//fn', [`Content-Length: ${inner.length}`], inner),
  },
  {
    name: 'a client that ends its side in the middle of its body',
    answers: ['400 gateway invalid'],
    after: 'closed',
    send: [post(['Content-Length: 100000'], 'hello'), { seen: 'hello' }, { end: true }],
    upstream: forwarded('POST /x', { end: 'content-length: 100000\r\n\r\nhello' }),
  },
  {
    name: 'a chunked body that goes wrong when the function has part of it',
    answers: ['400 gateway invalid'],
    after: 'closed',
    send: [post([chunked], '5\r\nhello\r\n'), { seen: 'hello' }, 'Z\r\n'],
    upstream: forwarded('POST /x', { end: 'transfer-encoding: chunked\r\n\r\n5\r\nhello' }),
  },
  {
    name: 'a client that ends its side while it waits has left',
    answers: ['cut'],
    after: 'closed',
    send: [get(), { seen: 'GET /x' }, { end: true }],
    upstream: forwarded('GET /x'),
    function: says(''),
  },
  {
    name: 'a body that is never finished',
    answers: ['504 gateway timeout'],
    after: 'closed',
    send: post(['Content-Length: 10'], 'hello'),
    upstream: forwarded('POST /x', { end: 'content-length: 10\r\n\r\nhello' }),
    timeoutMs: 100,
  },
  {
    name: 'a body that is never finished, for an unknown function',
    answers: ['404 gateway not-found'],
    after: 'closed',
    send: ask('POST /function/nobody', [chunked], '5\r\nhello\r\n'),
    upstream: '',
  },
  {
    name: 'a body without end for an unknown function',
    answers: ['404 gateway not-found'],
    after: 'closed',
    send: ask('POST /function/nobody', ['Content-Length: 100000000000'], 'x'.repeat(1_000_000)),
    upstream: '',
  },
  {
    name: 'a head that is never finished',
    answers: ['408 gateway request-timeout'],
    after: 'closed',
    upstream: '',
    send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nX: ',
    headersTimeoutMs: 1000,
  },
  {
    name: 'a connection on which nothing is said',
    answers: ['408 gateway request-timeout'],
    after: 'closed',
    upstream: '',
    send: '',
    headersTimeoutMs: 1000,
  },
  {
    name: 'a body in single bytes is one body',
    ...passed,
    send: [post(['Content-Length: 3'], 'a'), { seen: '\r\n\r\na' }, 'b', { seen: '\r\n\r\nab' }, 'c'],
    upstream: forwarded('POST /x', { end: ofLength('abc') }),
  },
];

const offer = get(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']);

export const pipelines: readonly HostileCase[] = [
  {
    name: 'three requests in one packet are three, in order',
    ...passed,
    answers: ['200 function', '200 function', '200 function'],
    send: post(['Content-Length: 1'], 'a') + get([], '/y') + post([chunked], '1\r\nb\r\n0\r\n\r\n'),
    check: [hello('/x', 'POST'), hello('/y'), hello('/x', 'POST')],
    upstream: forwarded('POST /x', { end: ofLength('a') }) + forwarded('GET /y') + forwarded('POST /x', { end: inChunks('b') }),
  },
  {
    name: 'garbage after a request is refused after the answer to the request',
    answers: ['200 function', '400 gateway invalid'],
    after: 'closed',
    send: `${get()}GARBAGE\r\n\r\n`,
    check: [hello()],
    upstream: forwarded('GET /x'),
  },
  {
    name: 'garbage while the answer is on its way does not cut it',
    answers: ['200 function', '400 gateway invalid'],
    after: 'closed',
    send: [get(), { heard: 'first part' }, 'GARBAGE\r\n\r\n'],
    upstream: forwarded('GET /x'),
    function: says(['HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\nfirst part ', 'last part.']),
  },
  {
    name: 'more bytes than the length says are another request',
    answers: ['200 function', '400 gateway invalid'],
    after: 'closed',
    send: post(['Content-Length: 2'], 'abcdef'),
    check: [hello('/x', 'POST')],
    upstream: forwarded('POST /x', { end: ofLength('ab') }),
  },
  {
    name: 'a request after Connection: close is not served',
    answers: ['200 function'],
    after: 'closed',
    send: get(['Connection: close']) + inner,
    upstream: forwarded('GET /x'),
  },
  {
    name: 'a request after HTTP/1.0 is not served',
    answers: ['200 function'],
    after: 'closed',
    send: ask('GET /function/fn/x', [], '', '1.0') + inner,
    upstream: forwarded('GET /x'),
  },
  {
    name: 'a request after an ambiguous one is not served',
    answers: ['400 gateway invalid'],
    after: 'closed',
    upstream: '',
    send: post(['Transfer-Encoding: gzip, chunked'], `0\r\n\r\n${inner}`),
  },
  {
    name: 'CONNECT behind a request waits for the answer to it',
    answers: ['200 function', '405 gateway method-not-allowed'],
    after: 'closed',
    send: get() + ask('CONNECT h:80', []),
    check: [hello()],
    upstream: forwarded('GET /x'),
  },
  {
    name: 'a WebSocket handshake behind a request is an ordinary request, the last one',
    answers: ['200 function', '200 function'],
    after: 'closed',
    send: get() + handshake([], '', 'GET /function/fn/y'),
    check: [hello(), hello('/y')],
    upstream: forwarded('GET /x') + forwarded('GET /y', { headers: socketHeaders }),
  },
  {
    name: 'a request in one packet with an offer of h2c is not served, and the connection is closed',
    answers: ['200 function'],
    after: 'closed',
    send: offer + inner,
    check: [hello()],
    upstream: forwarded('GET /x'),
  },
  {
    name: 'a request after an offer of h2c is an ordinary one',
    answers: ['200 function', '200 function'],
    after: 'kept',
    send: [offer, { heard: 'answer to GET /x' }, inner],
    check: [hello(), hello('/inner')],
    upstream: forwarded('GET /x') + forwarded('GET /inner'),
  },
];

export const expectations: readonly HostileCase[] = [
  {
    name: 'Expect: 100-continue for an unknown function: nothing is asked for',
    answers: ['404 gateway not-found'],
    after: 'closed',
    upstream: '',
    send: ask('POST /function/nobody', ['Content-Length: 5', 'Expect: 100-continue']),
    check: [(answer) => assert.deepEqual(answer.informational, [])],
  },
  {
    name: 'Expect: 100-continue that is refused: a body that comes all the same is no request',
    answers: ['404 gateway not-found'],
    after: 'closed',
    upstream: '',
    send: ask('POST /function/nobody', [`Content-Length: ${inner.length}`, 'Expect: 100-continue'], inner),
  },
  {
    name: 'Expect: 100-continue is answered by the gateway and ends there',
    ...passed,
    send: [post(['Content-Length: 5', 'Expect: 100-continue']), { heard: '100 Continue\r\n\r\n' }, 'hello'],
    check: [
      (answer) =>
        assert.deepEqual(
          answer.informational.map(({ status }) => status),
          [100],
        ),
    ],
    upstream: forwarded('POST /x', { end: ofLength('hello') }),
  },
  {
    name: 'Expect: 100-continue in HTTP/1.0 is ignored',
    answers: ['200 function'],
    after: 'closed',
    send: post(['Content-Length: 5', 'Expect: 100-continue'], 'hello', '1.0'),
    check: [(answer) => assert.deepEqual(answer.informational, [])],
    upstream: forwarded('POST /x', { end: ofLength('hello') }),
  },
  {
    name: 'an expectation that nobody knows',
    answers: ['417 gateway expectation-failed'],
    after: 'closed',
    upstream: '',
    send: post(['Content-Length: 5', 'Expect: a-miracle'], 'hello'),
  },
];

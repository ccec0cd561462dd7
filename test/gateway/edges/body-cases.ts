// Bodies that hold requests, bodies that are not asked for, and bodies that do not come.
import { ask, chunk, chunked, forwarded, get, type HostileCase, inChunks, inner, ofLength, passed, post, says } from './case.ts';

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
    name: 'a chunked body of HEAD that goes wrong: the refusal has no body',
    answers: ['400 gateway invalid'],
    after: 'closed',
    methods: ['HEAD'],
    send: [ask('HEAD /function/fn/x', [chunked], '5\r\nhello\r\n'), { seen: 'hello' }, 'Z\r\n'],
    upstream: forwarded('HEAD /x', { end: 'transfer-encoding: chunked\r\n\r\n5\r\nhello' }),
  },
  {
    name: 'a chunked body that goes wrong when it has been answered gets no second answer',
    answers: ['404 gateway not-found'],
    after: 'closed',
    send: [ask('POST /function/nobody', [chunked], '5\r\nhello\r\n'), { heard: 'not found' }, 'Z\r\n'],
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
    name: 'a second head that is never finished',
    answers: ['200 function', '408 gateway request-timeout'],
    after: 'closed',
    upstream: forwarded('GET /x'),
    send: [get(), { heard: 'answer to GET /x' }, 'GET /function/fn/y HTTP/1.1\r\nHost: h\r\nX: '],
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

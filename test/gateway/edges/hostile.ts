// Requests that attackers send, and answers that broken functions give: what each must lead to. docs/edges.md says how to run it.
import assert from 'node:assert/strict';
import type { RawAnswer } from '../../helpers/raw-client.ts';
import type { RawRequest, Script } from '../../helpers/recorder.ts';

/** Bytes to send; or: wait until the client has heard a text, until the function has seen one, or end the sending side. */
export type Step = string | { readonly heard: string } | { readonly seen: string } | { readonly end: true };

export type HostileCase = {
  readonly name: string;
  readonly send: Step | readonly Step[];
  /** Methods of the requests that are answered, in order; default POST for each answer. Only HEAD matters. */
  readonly methods?: readonly string[];
  /** `200 function`; `400 gateway invalid` is status, `X-OpenFaaS-Internal` and `X-Error-Code`; `cut` is no whole answer. */
  readonly answers: readonly string[];
  /** What else holds for each answer. */
  readonly check?: readonly ((answer: RawAnswer) => void)[];
  /** The client's connection afterwards; on a kept one another call is made. */
  readonly after: 'closed' | 'kept';
  /** Every byte that the function may see of it, less what differs from call to call. */
  readonly upstream: string;
  /** How the function answers; default 200 with the method and the path of the request. */
  readonly function?: (request: RawRequest) => Script;
  readonly headersTimeoutMs?: number;
};

type Framing = { readonly host?: string; readonly headers?: readonly string[]; readonly end?: string };

/** A request as the gateway sends it on. @param end framing headers, the empty line, and the body */
export const forwarded = (line: string, { host = 'h', headers = [], end = '\r\n' }: Framing = {}): string =>
  [
    `${line} HTTP/1.1`,
    `host: ${host}`,
    'connection: keep-alive',
    ...headers,
    'X-Call-Id: <id>',
    'X-Start-Time: <time>',
    'X-Forwarded-For: <remote>',
    `X-Forwarded-Host: ${host}`,
    'User-Agent: sluice/1.2.3',
    end,
  ].join('\r\n');

const ofLength = (body: string): string => `content-length: ${body.length}\r\n\r\n${body}`;

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

const inChunks = (...texts: string[]): string => `transfer-encoding: chunked\r\n\r\n${texts.map(chunk).join('')}0\r\n\r\n`;

const ask = (line: string, headers: readonly string[], body = '', version = '1.1'): string =>
  `${line} HTTP/${version}\r\nHost: h\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n${body}`;

const post = (headers: readonly string[], body = '', version?: string): string =>
  ask('POST /function/fn/x', headers, body, version);

const get = (headers: readonly string[] = [], path = '/x'): string => ask(`GET /function/fn${path}`, headers);

const refused = { answers: ['400 gateway invalid'], after: 'closed', upstream: '' } as const;
const passed = { answers: ['200 function'], after: 'kept' } as const;
const broken = { answers: ['502 gateway upstream'], after: 'kept' } as const;

/** A whole request in the place of a body. */
const inner = 'GET /function/fn/inner HTTP/1.1\r\nHost: h\r\n\r\n';

const chunked = 'Transfer-Encoding: chunked';

const hello = (path = '/x', method = 'GET'): ((answer: RawAnswer) => void) => {
  return (answer) => assert.equal(answer.body, `answer to ${method} ${path}`);
};

/** The function answers these bytes. */
const says = (bytes: string | readonly string[], then?: Script['then'], at?: Script['at']): (() => Script) => {
  return () => ({ bytes, ...(then === undefined ? {} : { then }), ...(at === undefined ? {} : { at }) });
};

const lengths: readonly HostileCase[] = [
  { name: 'two lengths that differ', send: post(['Content-Length: 1', 'Content-Length: 2'], 'ab'), ...refused },
  { name: 'the same length twice', send: post(['Content-Length: 2', 'Content-Length: 2'], 'ab'), ...refused },
  { name: 'a list of lengths', send: post(['Content-Length: 2, 2'], 'ab'), ...refused },
  { name: 'a length with a plus', send: post(['Content-Length: +2'], 'ab'), ...refused },
  { name: 'a length with a minus', send: post(['Content-Length: -2'], 'ab'), ...refused },
  { name: 'a length with a space in it', send: post(['Content-Length: 1 2'], 'a'.repeat(12)), ...refused },
  { name: 'a length in hexadecimal', send: post(['Content-Length: 0x2'], 'ab'), ...refused },
  { name: 'a length with an exponent', send: post(['Content-Length: 1e1'], 'a'.repeat(10)), ...refused },
  { name: 'an empty length', send: post(['Content-Length:'], 'ab'), ...refused },
  { name: 'a length beyond 64 bits', send: post(['Content-Length: 18446744073709551618'], 'ab'), ...refused },
  { name: 'a length that loses digits as a number', send: post(['Content-Length: 18446744073709551615'], 'ab'), ...refused },
  {
    name: 'a length with an underscore for its hyphen is some other header',
    ...passed,
    send: ask('GET /function/fn/x', ['Content_Length: 5']),
    upstream: forwarded('GET /x', { headers: ['Content_Length: 5'] }),
  },
  {
    name: 'a length with zeros in front is sent on without them',
    ...passed,
    send: post(['Content-Length: 0005'], 'hello'),
    upstream: forwarded('POST /x', { end: ofLength('hello') }),
  },
  {
    name: 'a length with spaces around it is sent on without them',
    ...passed,
    send: post(['Content-Length: \t 5 \t'], 'hello'),
    upstream: forwarded('POST /x', { end: ofLength('hello') }),
  },
];

const codings: readonly HostileCase[] = [
  { name: 'a length and a coding', send: post(['Content-Length: 5', chunked], '0\r\n\r\n'), ...refused },
  { name: 'a coding and a length', send: post([chunked, 'Content-Length: 5'], '0\r\n\r\n'), ...refused },
  { name: 'gzip, chunked', send: post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'), ...refused },
  { name: 'chunked, gzip', send: post(['Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'), ...refused },
  { name: 'chunked, identity', send: post(['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'), ...refused },
  { name: 'identity', send: post(['Transfer-Encoding: identity', 'Content-Length: 2'], 'ab'), ...refused },
  { name: 'chunked twice', send: post([chunked, chunked], '0\r\n\r\n'), ...refused },
  { name: 'chunked and then something else', send: post([chunked, 'Transfer-Encoding: x'], '0\r\n\r\n'), ...refused },
  { name: 'an unknown coding', send: post(['Transfer-Encoding: xchunked'], '0\r\n\r\n'), ...refused },
  { name: 'an empty coding', send: post(['Transfer-Encoding:'], '0\r\n\r\n'), ...refused },
  { name: 'a quoted coding', send: post(['Transfer-Encoding: "chunked"'], '0\r\n\r\n'), ...refused },
  { name: 'a coding with a parameter', send: post(['Transfer-Encoding: chunked;a=b'], '0\r\n\r\n'), ...refused },
  { name: 'a coding after a vertical tab', send: post(['Transfer-Encoding: \x0bchunked'], '0\r\n\r\n'), ...refused },
  { name: 'a coding with a space before its colon', send: post(['Transfer-Encoding : chunked'], '0\r\n\r\n'), ...refused },
  { name: 'a coding on a folded line', send: post(['Transfer-Encoding:\r\n chunked'], '0\r\n\r\n'), ...refused },
  { name: 'a coding in HTTP/1.0', send: post([chunked], '0\r\n\r\n', '1.0'), ...refused },
  {
    name: 'a coding in capitals is chunked',
    ...passed,
    send: post(['Transfer-Encoding: CHUNKED'], '5\r\nhello\r\n0\r\n\r\n'),
    upstream: forwarded('POST /x', { end: inChunks('hello') }),
  },
];

const chunks: readonly HostileCase[] = [
  { name: 'a chunk size in 17 digits', send: post([chunked], '10000000000000005\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size with 0x', send: post([chunked], '0x5\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size with a plus', send: post([chunked], '+5\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size with a minus', send: post([chunked], '-5\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size after a space', send: post([chunked], ' 5\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size before a space', send: post([chunked], '5 \r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'no chunk size', send: post([chunked], '\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size that a line feed ends', send: post([chunked], '5\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a chunk size that a carriage return ends', send: post([chunked], '5\rhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a line feed in a chunk extension', send: post([chunked], '5;a\nb\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'a carriage return in a chunk extension', send: post([chunked], '5;a\rb\r\nhello\r\n0\r\n\r\n'), ...refused },
  { name: 'chunk extensions without end', send: post([chunked], `5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`), ...refused },
  {
    name: 'a chunk longer than its size',
    answers: ['400 gateway invalid'],
    after: 'closed',
    send: [post([chunked], '3\r\nhel'), { seen: 'hel' }, 'lo\r\n0\r\n\r\n'],
    upstream: forwarded('POST /x', { end: 'transfer-encoding: chunked\r\n\r\n3\r\nhel' }),
  },
  {
    name: 'a chunk that a line feed ends',
    answers: ['400 gateway invalid'],
    after: 'closed',
    send: [post([chunked], '5\r\nhello'), { seen: 'hello' }, '\n0\r\n\r\n'],
    upstream: forwarded('POST /x', { end: 'transfer-encoding: chunked\r\n\r\n5\r\nhello' }),
  },
  {
    name: 'a last chunk that a line feed ends',
    answers: ['400 gateway invalid'],
    after: 'closed',
    send: [post([chunked], '5\r\nhello\r\n'), { seen: 'hello' }, '0\n\r\n'],
    upstream: forwarded('POST /x', { end: 'transfer-encoding: chunked\r\n\r\n5\r\nhello' }),
  },
  {
    name: 'chunk extensions are read and dropped',
    ...passed,
    send: post([chunked], '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'),
    upstream: forwarded('POST /x', { end: inChunks('hello') }),
  },
  {
    name: 'chunk sizes with zeros in front and capitals are sent on plain',
    ...passed,
    send: post([chunked], '00000A\r\nhellohello\r\n000\r\n\r\n'),
    upstream: forwarded('POST /x', { end: inChunks('hellohello') }),
  },
  { name: 'framing in the trailers', send: post([chunked], '0\r\nContent-Length: 50\r\n\r\n'), ...refused },
  { name: 'a coding in the trailers', send: post([chunked], '0\r\nTransfer-Encoding: gzip\r\n\r\n'), ...refused },
  {
    name: 'a Host in the trailers is nothing but a trailer',
    ...passed,
    send: post([chunked], '5\r\nhello\r\n0\r\nHost: evil\r\n\r\n'),
    upstream: forwarded('POST /x', { end: inChunks('hello') }),
  },
];

const heads: readonly HostileCase[] = [
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

const hosts: readonly HostileCase[] = [
  { name: 'two Hosts', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nhost: evil\r\n\r\n', ...refused },
  { name: 'the same Host twice', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n', ...refused },
  { name: 'no Host', send: 'GET /function/fn/x HTTP/1.1\r\n\r\n', ...refused },
  { name: 'a Host with a space', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h evil\r\n\r\n', ...refused },
  { name: 'a Host with a path', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h/evil\r\n\r\n', ...refused },
  { name: 'a Host with a user', send: 'GET /function/fn/x HTTP/1.1\r\nHost: user@h\r\n\r\n', ...refused },
  { name: 'a Host of another alphabet', send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\xe9\r\n\r\n', ...refused },
];

const named = (headers: readonly string[]): string => get(headers);

const connections: readonly HostileCase[] = [
  {
    name: 'Connection names what the platform adds: it is added all the same',
    ...passed,
    send: named([
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
    send: named(['X-A: 1', 'X-B: 2', 'X-C: 3', 'Connection: x-a', 'Connection: ,, X-B ,keep-alive']),
    upstream: forwarded('GET /x', { headers: ['X-C: 3'] }),
  },
  {
    name: 'hop-by-hop headers end here',
    ...passed,
    send: named([
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
    send: named(['Connection: close']),
    upstream: forwarded('GET /x'),
  },
  {
    name: 'close among others is obeyed',
    answers: ['200 function'],
    after: 'closed',
    send: named(['X-A: 1', 'Connection: X-A, close']),
    upstream: forwarded('GET /x'),
  },
];

const targets: readonly HostileCase[] = [
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

const bodies: readonly HostileCase[] = [
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
    name: 'a head that is never finished',
    answers: ['408 gateway request-timeout'],
    after: 'closed',
    upstream: '',
    send: 'GET /function/fn/x HTTP/1.1\r\nHost: h\r\nX: ',
    headersTimeoutMs: 60,
  },
  {
    name: 'a connection on which nothing is said',
    answers: ['408 gateway request-timeout'],
    after: 'closed',
    upstream: '',
    send: '',
    headersTimeoutMs: 60,
  },
  {
    name: 'a body in single bytes is one body',
    ...passed,
    send: [post(['Content-Length: 3'], 'a'), { seen: '\r\n\r\na' }, 'b', { seen: '\r\n\r\nab' }, 'c'],
    upstream: forwarded('POST /x', { end: ofLength('abc') }),
  },
];

const offer = get(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']);

const pipelines: readonly HostileCase[] = [
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

const handshake = (headers: readonly string[], body = '', line = 'GET /function/fn/x'): string =>
  ask(line, ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: a', ...headers], body);

const socketHeaders = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: a'];

/** The handshake of `handshake([])` as the library for upgraded connections sends it: small letters, last header first. */
const handedOver = [
  'GET /x HTTP/1.1',
  'upgrade: websocket',
  'connection: Upgrade',
  'user-agent: sluice/1.2.3',
  'x-forwarded-host: h',
  'X-Forwarded-For: <remote>',
  'X-Start-Time: <time>',
  'X-Call-Id: <id>',
  'sec-websocket-key: a',
  'sec-websocket-version: 13',
  'host: h',
  '\r\n',
].join('\r\n');

const upgrades: readonly HostileCase[] = [
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

const expectations: readonly HostileCase[] = [
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

const answersOfFunctions: readonly HostileCase[] = [
  {
    name: 'an answer of two answers: the second reaches nobody',
    ...passed,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    check: [(answer) => assert.equal(answer.body, 'ok')],
  },
  {
    name: 'more body than the length says reaches nobody',
    ...passed,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay'),
    check: [(answer) => assert.equal(answer.body, 'ok')],
  },
  {
    name: 'a body behind 204 reaches nobody, and no length either',
    ...passed,
    answers: ['204 function'],
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'),
    check: [
      (answer) =>
        assert.equal(
          answer.headers.some(([name]) => /^content-length$/i.test(name)),
          false,
        ),
    ],
  },
  {
    name: 'a body behind the answer to HEAD reaches nobody',
    ...passed,
    methods: ['HEAD'],
    send: ask('HEAD /function/fn/x', []),
    upstream: forwarded('HEAD /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  },
  {
    name: 'an answer with a length and a coding',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  },
  {
    name: 'an answer with two lengths',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
  },
  {
    name: 'an answer in a coding that nobody asked for',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
  },
  {
    name: 'an answer in a coding without end',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello', 'end'),
  },
  {
    name: 'a switch of protocols that nobody asked for',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nevil'),
  },
  {
    name: 'a switch of protocols without a word about which',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  },
  {
    name: 'a carriage return in a value of an answer',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n'),
  },
  {
    name: 'NUL in a value of an answer',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'),
  },
  { name: 'an answer that is no HTTP', ...broken, send: get(), upstream: forwarded('GET /x'), function: says('hello\r\n\r\n') },
  {
    name: 'an answer with a head over 1 MiB',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1024 * 1024)}\r\nContent-Length: 0\r\n\r\n`),
  },
  {
    name: 'a function that hangs up on the request',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('', 'destroy'),
  },
  {
    name: 'a function that hangs up in its head',
    ...broken,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nX', 'destroy'),
  },
  {
    name: 'a function that hangs up in its body',
    answers: ['cut'],
    after: 'closed',
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 'destroy'),
  },
  {
    name: 'a function that hangs up in its chunks',
    answers: ['cut'],
    after: 'closed',
    send: get(),
    upstream: forwarded('GET /x'),
    function: says(`HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n5\r\nhello\r\n`, 'destroy'),
  },
  {
    name: 'a function whose connection is reset in an answer without a length',
    answers: ['cut'],
    after: 'closed',
    send: get(),
    upstream: forwarded('GET /x'),
    function: says(['HTTP/1.1 200 OK\r\n\r\nhello'], 'reset'),
  },
  {
    name: 'a chunk of an answer with a size that is none',
    answers: ['cut'],
    after: 'closed',
    send: get(),
    upstream: forwarded('GET /x'),
    function: says(`HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n5\r\nhello\r\nZ\r\n`),
  },
  {
    name: 'an answer that ends with its connection is whole',
    ...passed,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 200 OK\r\n\r\nhello', 'end'),
    check: [(answer) => assert.equal(answer.body, 'hello')],
  },
  {
    name: 'a 100 that nobody asked for is passed over',
    ...passed,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says('HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    check: [(answer) => assert.deepEqual([answer.body, answer.informational], ['ok', []])],
  },
  {
    name: 'an answer before the body is there',
    answers: ['200 function'],
    after: 'closed',
    send: [post(['Content-Length: 100000'], 'hello'), { heard: 'enough' }, inner],
    upstream: forwarded('POST /x', { end: 'content-length: 100000\r\n\r\nhello' }),
    function: says('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nenough', undefined, 'head'),
  },
  {
    name: 'headers that belong to the connection of the function end here',
    ...passed,
    send: get(),
    upstream: forwarded('GET /x'),
    function: says(
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Inner\r\nKeep-Alive: timeout=77\r\nX-Inner: 1\r\nProxy-Authenticate: x\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nok',
    ),
    check: [
      (answer) =>
        assert.deepEqual(
          answer.headers.filter(([name, value]) => /inner|proxy|upgrade/i.test(name) || value === 'timeout=77'),
          [],
        ),
    ],
  },
];

export const hostileCases: Readonly<Record<string, readonly HostileCase[]>> = {
  'lengths of a request': lengths,
  'transfer codings of a request': codings,
  'chunks of a request': chunks,
  'heads of a request': heads,
  Host: hosts,
  Connection: connections,
  'targets of a request': targets,
  'bodies of a request': bodies,
  'requests behind one another': pipelines,
  upgrades: upgrades,
  expectations: expectations,
  'answers of a function': answersOfFunctions,
};

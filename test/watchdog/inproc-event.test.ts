import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { type CallOptions, startHandler } from './blank-process.ts';

const show = 'module.exports = async (event, context) => event';
const json = (value: unknown): CallOptions => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

test('an event has body, headers, method, query and path, and nothing else', async (t) => {
  const blank = await startHandler(t, show);
  const { body, headers } = await blank.call('/a/%20b/../c?x=1&x=2&y[z]=3', { ...json({ n: 1 }), method: 'PUT' });
  const event = JSON.parse(body);
  assert.deepEqual(Object.keys(event), ['body', 'headers', 'method', 'query', 'path']);
  assert.deepEqual(event.body, { n: 1 });
  assert.equal(event.method, 'PUT');
  assert.equal(event.path, '/a/%20b/../c');
  assert.deepEqual(event.query, { x: ['1', '2'], 'y[z]': '3' });
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.match(String(headers['x-duration-seconds']), /^\d+\.\d{6}$/);
});

const bodies: readonly { name: string; options: CallOptions; environment?: Record<string, string>; want: unknown }[] = [
  { name: 'no content type is text (fact 89)', options: { body: 'plain' }, want: 'plain' },
  {
    name: 'text is a string',
    options: { headers: { 'content-type': 'text/csv; charset=latin1' }, body: Buffer.from([0x61, 0xe4]) },
    want: 'aä',
  },
  { name: 'an object in JSON is parsed', options: json({ a: [1] }), want: { a: [1] } },
  {
    name: 'a form is parsed, nested keys included',
    options: {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a%5Bb%5D=1&c=2&c=3&d[]=4&d[]=5&__proto__[x]=1',
    },
    want: { a: { b: '1' }, c: ['2', '3'], d: ['4', '5'] },
  },
  {
    name: 'any other type has no body',
    options: { headers: { 'content-type': 'application/octet-stream' }, body: 'x' },
    want: undefined,
  },
  { name: 'an empty body is undefined (fact 92)', options: { method: 'POST' }, want: undefined },
  {
    name: 'RAW_BODY gives a Buffer (fact 90)',
    options: json({}),
    environment: { RAW_BODY: 'true' },
    want: { type: 'Buffer', data: [123, 125] },
  },
  {
    name: 'a compressed body is inflated',
    options: { headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' }, body: gzipSync('zipped') },
    want: 'zipped',
  },
];

for (const { name, options, environment, want } of bodies) {
  test(`event.body: ${name}`, async (t) => {
    const blank = await startHandler(t, 'module.exports = async (event, context) => ({ body: event.body })', environment);
    const { body } = await blank.call('/', options);
    assert.deepEqual(JSON.parse(body), want === undefined ? {} : { body: want });
  });
}

test('bodies that cannot be taken are answered in our name', async (t) => {
  const blank = await startHandler(t, show, { MAX_JSON_SIZE: '10b', MAX_TEXT_SIZE: '200kb' });
  const cases: readonly [CallOptions, number, RegExp][] = [
    [{ headers: { 'content-type': 'application/json' }, body: '{"a":' }, 400, /expected JSON/],
    [{ headers: { 'content-type': 'application/json' }, body: '12' }, 400, /expected a JSON object or list, got "12"/],
    [json({ long: 'longer than ten bytes' }), 413, /at most 10 bytes.*MAX_JSON_SIZE/],
    [{ body: 'x'.repeat(200 * 1024 + 1) }, 413, /at most 204800 bytes.*MAX_TEXT_SIZE/],
    [{ headers: { 'content-type': 'text/plain; charset=klingon' }, body: 'x' }, 415, /charset/],
    [
      { headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' }, body: gzipSync('x'.repeat(300_000)) },
      413,
      /at most/,
    ],
  ];
  for (const [options, status, text] of cases) {
    const answer = await blank.call('/', options);
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, text);
    assert.equal(answer.headers['x-openfaas-internal'], 'watchdog');
  }
  assert.equal((await blank.call('/', { body: 'x'.repeat(200 * 1024) })).status, 200);
});

test('a text body over 100 kb is 413 unless the limit is raised (fact 91)', async (t) => {
  const blank = await startHandler(t, show);
  assert.equal((await blank.call('/', { body: 'x'.repeat(100 * 1024 + 1) })).status, 413);
});

type Row = { name: string; source: string; status: number; type?: string | undefined; body: string };
const html = 'text/html; charset=utf-8';
const isJson = 'application/json; charset=utf-8';
const plain = 'text/plain; charset=utf-8';
const results: readonly Row[] = [
  { name: 'succeed with an object is JSON (fact 86)', source: 'c.succeed({ a: 1 })', status: 200, type: isJson, body: '{"a":1}' },
  { name: 'succeed with a string is HTML', source: 'c.succeed("s")', status: 200, type: html, body: 's' },
  { name: 'succeed with true is JSON', source: 'c.succeed(true)', status: 200, type: isJson, body: 'true' },
  { name: 'a returned number is JSON', source: 'return 7', status: 200, type: isJson, body: '7' },
  { name: 'a Date is JSON', source: 'return new Date(0)', status: 200, type: isJson, body: '"1970-01-01T00:00:00.000Z"' },
  { name: 'a Buffer is bytes', source: 'return Buffer.from("b")', status: 200, type: 'application/octet-stream', body: 'b' },
  { name: 'nothing is an empty 200', source: '', status: 200, type: undefined, body: '' },
  {
    name: 'status and headers apply',
    source: 'return c.status(201).headers({ "Content-Type": "text/x" }).succeed("made")',
    status: 201,
    type: 'text/x',
    body: 'made',
  },
  { name: 'a status without body has none', source: 'return c.status(204).succeed("x")', status: 204, type: html, body: '' },
  {
    name: 'fail is 500 with the text (fact 88)',
    source: 'c.fail(new Error("bad"))',
    status: 500,
    type: plain,
    body: 'Error: bad',
  },
  {
    name: 'fail keeps a status that was set (fact 88)',
    source: 'c.status(418).fail("tea")',
    status: 418,
    type: plain,
    body: 'tea',
  },
  { name: 'an async throw is 500 (fact 87)', source: 'throw new Error("oops")', status: 500, type: plain, body: 'Error: oops' },
  {
    name: 'an async throw after a good status is still 500',
    source: 'c.status(201); throw new Error("oops")',
    status: 500,
    type: plain,
    body: 'Error: oops',
  },
  {
    name: 'only the first result counts',
    source: 'c.succeed("one"); c.succeed("two"); c.fail("three"); return "four"',
    status: 200,
    type: html,
    body: 'one',
  },
  {
    name: 'a throw after the result changes nothing',
    source: 'c.succeed("one"); throw new Error("late")',
    status: 200,
    type: html,
    body: 'one',
  },
  { name: 'the callback answers', source: 'cb(undefined, "called")', status: 200, type: html, body: 'called' },
  { name: 'the callback fails', source: 'cb(new Error("cb"))', status: 500, type: plain, body: 'Error: cb' },
  {
    name: 'a bad status is 500',
    source: 'c.status(9999).succeed("x")',
    status: 500,
    type: plain,
    body: 'RangeError [ERR_HTTP_INVALID_STATUS_CODE]: Invalid status code: 9999\n',
  },
  {
    name: 'a value that JSON cannot hold is 500',
    source: 'return { a: 1n }',
    status: 500,
    type: plain,
    body: 'TypeError: Do not know how to serialize a BigInt\n',
  },
  {
    name: 'a Response is sent as it is',
    source: 'return new Response("web", { status: 203 })',
    status: 203,
    type: 'text/plain;charset=UTF-8',
    body: 'web',
  },
  {
    name: 'an async iterable is streamed',
    source: 'return (async function* () { yield "a"; yield "b" })()',
    status: 200,
    type: 'application/octet-stream',
    body: 'ab',
  },
];

test('what a handler of event style gives is answered as the template has it', async (t) => {
  const functions = results.map(({ source }) => `async (e, c, cb) => { ${source} }`);
  const blank = await startHandler(
    t,
    `const all = [${functions.join(',\n')}]; module.exports = (e, c, cb) => all[Number(e.path.slice(1))](e, c, cb)`,
  );
  for (const [index, row] of results.entries()) {
    const answer = await blank.call(`/${index}`);
    assert.deepEqual(
      { status: answer.status, type: answer.headers['content-type'], body: answer.body },
      { status: row.status, type: row.type, body: row.body },
      row.name,
    );
  }
  assert.equal(blank.child.exitCode, null);
});

test('a handler that throws at once is answered 500 and its stack is printed', async (t) => {
  const blank = await startHandler(t, 'module.exports = (event, context) => { throw new Error("sync") }');
  const answer = await blank.call('/');
  assert.deepEqual([answer.status, answer.body, answer.headers['x-openfaas-internal']], [500, 'Error: sync', undefined]);
  await blank.printed('stderr', /Error: sync\n\s+at /);
  assert.equal((await blank.call('/')).status, 500);
});

test('a handler with three parameters that returns nothing may call back later', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = (event, context, callback) => { setTimeout(() => callback(null, "later"), 10) }',
  );
  assert.equal((await blank.call('/')).body, 'later');
});

test('headers with several values are sent several times', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => c.headers({ "Set-Cookie": ["a=1", "b=2"], connection: "close" }).succeed("")',
  );
  const answer = await blank.call('/', { headers: { connection: 'keep-alive' } });
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(answer.headers.connection, 'keep-alive');
});

test('context has the call id', async (t) => {
  const blank = await startHandler(t, 'module.exports = async (e, c) => String(c.callId)');
  assert.equal((await blank.call('/', { headers: { 'x-call-id': 'id-1' } })).body, 'id-1');
});

test('HEAD has the head of GET and no body', async (t) => {
  const blank = await startHandler(t, 'module.exports = async (e, c) => "12345"');
  const answer = await blank.call('/', { method: 'HEAD' });
  assert.deepEqual([answer.status, answer.headers['content-length'], answer.body], [200, '5', '']);
});

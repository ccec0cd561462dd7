import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { open, startBlank, startHandler, textOf } from './blank-process.ts';

const web = { handler_style: 'web' };

test('a function of one parameter gets a Request and answers with a Response', async (t) => {
  const blank = await startHandler(
    t,
    `export default async (request) => Response.json({ url: request.url, method: request.method, agent: request.headers.get("USER-agent"),
      is: request instanceof Request, headers: request.headers instanceof Headers, body: await request.text(), used: request.bodyUsed })`,
    {},
    'handler.mjs',
  );
  const answer = await blank.call('/a?b=1', { headers: { 'user-agent': 'me', host: 'example.test' }, body: 'hello' });
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.match(String(answer.headers['x-duration-seconds']), /^\d+\.\d{6}$/);
  assert.deepEqual(JSON.parse(answer.body), {
    url: 'http://example.test/a?b=1',
    method: 'POST',
    agent: 'me',
    is: true,
    headers: true,
    body: 'hello',
    used: true,
  });
});

test('an object with fetch is a handler, and this is the object', async (t) => {
  const blank = await startHandler(
    t,
    'export default { word: "hi", fetch(request) { return new Response(this.word) } }',
    {},
    'handler.mjs',
  );
  assert.equal((await blank.call('/')).body, 'hi');
});

test('handler_style decides where the number of parameters cannot', async (t) => {
  const blank = await startHandler(t, 'exports.handle = (...all) => new Response(String(all.length))', web);
  assert.equal((await blank.call('/')).body, '1');
});

test('several Set-Cookie headers are kept, those of the connection are not', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = (r) => { const h = new Headers({ connection: "close", "Content-Length": "99", "Transfer-Encoding": "chunked" }); h.append("set-cookie", "a=1"); h.append("set-cookie", "b=2"); return new Response("x", { headers: h }) }',
  );
  const answer = await blank.call('/', { headers: { connection: 'keep-alive' } });
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.deepEqual([answer.headers['content-length'], answer.headers.connection, answer.body], ['1', 'keep-alive', 'x']);
});

test('HEAD, 204 and 304 have no body', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = (r) => r.method === "HEAD" ? new Response("12345") : new Response(null, { status: Number(r.headers.get("x-status")) })',
  );
  const head = await blank.call('/', { method: 'HEAD' });
  assert.deepEqual([head.headers['content-length'], head.body], ['5', '']);
  for (const status of [204, 304]) {
    const answer = await blank.call('/', { headers: { 'x-status': String(status) } });
    assert.deepEqual(
      [answer.status, answer.headers['content-length'], answer.headers['transfer-encoding']],
      [status, undefined, undefined],
    );
  }
});

const wrongs = [
  { name: 'a throw', source: '() => { throw new Error("sync") }', want: /^Error: sync$/, internal: undefined },
  { name: 'a rejection', source: 'async () => { throw new Error("async") }', want: /^Error: async$/, internal: undefined },
  {
    name: 'something else than a Response',
    source: 'async () => "text"',
    want: /expected a Response, got string/,
    internal: 'watchdog',
  },
  { name: 'nothing', source: '() => undefined', want: /expected a Response, got undefined/, internal: 'watchdog' },
  {
    name: 'a Response that was read',
    source: 'async () => { const r = new Response("x"); await r.text(); return r }',
    want: /already been read/,
    internal: undefined,
  },
];

for (const { name, source, want, internal } of wrongs) {
  test(`${name} is answered 500 and printed`, async (t) => {
    const blank = await startHandler(t, `module.exports = ${source}`, web);
    const answer = await blank.call('/');
    assert.equal(answer.status, 500);
    assert.match(answer.body, want);
    assert.equal(answer.headers['x-openfaas-internal'], internal);
    await blank.printed('stderr', /./);
  });
}

test('a body streams out as it is made, and stops when the client leaves', async (t) => {
  const blank = await startHandler(
    t,
    `module.exports = () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1024)); return new Promise((go) => setTimeout(go, 5)) }, cancel() { console.log("cancelled") } }))`,
    web,
  );
  const message = await open(blank.target, '/');
  await once(message, 'data');
  message.destroy();
  await blank.printed('stdout', /cancelled/);
});

test('a client that leaves ends a body that has nothing to say', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)) }, cancel() { console.log("cancelled") } }))',
    web,
  );
  const message = await open(blank.target, '/');
  await once(message, 'data');
  message.destroy();
  await blank.printed('stdout', /cancelled/);
});

test('a body that nobody reads is not made faster than it is sent', async (t) => {
  const blank = await startHandler(
    t,
    `let made = 0; module.exports = (r) => r.url.endsWith("/made") ? new Response(String(made)) :
      new Response(new ReadableStream({ pull(c) { made += 1; c.enqueue(new Uint8Array(65536)); if (made > 2000) c.close() } }))`,
    web,
  );
  const message = await open(blank.target, '/');
  message.pause();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const made = Number((await blank.call('/made')).body);
  assert.ok(made < 200, `${made} chunks made`);
  message.destroy();
});

test('a stream that fails in its middle cuts the connection', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = () => new Response((async function* () { yield Buffer.from("x"); throw new Error("broken") })())',
    web,
  );
  await assert.rejects(textOf(await open(blank.target, '/')), /aborted/);
  await blank.printed('stderr', /broken/);
  assert.equal((await blank.call('/_/health')).status, 200);
});

test('a request body streams in while the answer streams out', async (t) => {
  const blank = await startHandler(t, 'module.exports = (r) => new Response(r.body)', web);
  const socket = connect(blank.socketPath);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  while (!text.includes('one')) await once(socket, 'data');
  socket.write('3\r\ntwo\r\n0\r\n\r\n');
  while (!text.endsWith('0\r\n\r\n')) await once(socket, 'data');
  assert.match(text, /3\r\ntwo\r\n/);
  socket.destroy();
});

test('the signal of the Request aborts when the client leaves', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = (r) => new Promise((go) => r.signal.addEventListener("abort", () => { console.log("left"); go(new Response()) }))',
    web,
  );
  const socket = connect(blank.socketPath);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  setTimeout(() => socket.destroy(), 30);
  await blank.printed('stdout', /left/);
});

test('console output goes to stdout and stderr as it is (fact 48)', async (t) => {
  const blank = await startBlank(t, {
    'handler.js': 'module.exports = async (e, c) => { console.log("out"); console.error("err"); return "" }',
  });
  await blank.specialize();
  await blank.call('/');
  await blank.printed('stdout', /^out\n$/);
  await blank.printed('stderr', /^err\n$/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { open, startHandler, textOf } from './blank-process.ts';

const waits =
  'module.exports = async (e, c) => { await new Promise((go, stop) => c.signal.addEventListener("abort", () => { console.log(c.signal.reason.name); stop(c.signal.reason) })) }';

test('a call that is cut at its limit is in the log, without its query', async (t) => {
  const blank = await startHandler(t, 'module.exports = () => new Promise(() => {})', { exec_timeout: '50ms' });
  assert.equal((await blank.call('/a/b?token=secret')).status, 504);
  await blank.printed('stderr', /the function did not finish within exec_timeout of 50ms; GET \/a\/b\n/);
});

test('a call over exec_timeout is 504 naming hop and limit, and its signal aborts (fact 32)', async (t) => {
  const blank = await startHandler(t, waits, { exec_timeout: '50ms' });
  const answer = await blank.call('/');
  assert.equal(answer.status, 504);
  assert.equal(answer.headers['x-openfaas-internal'], 'watchdog');
  assert.deepEqual([answer.headers['x-error-code'], answer.headers['x-error-reason']], ['timeout', 'ExecTimeout']);
  assert.match(answer.body, /watchdog.*exec_timeout of 50ms/);
  const json = JSON.parse((await blank.call('/', { headers: { accept: 'application/json' } })).body);
  assert.deepEqual(json, {
    error: {
      code: 'timeout',
      reason: 'ExecTimeout',
      message: 'watchdog: the function did not finish within exec_timeout of 50ms',
    },
  });
  await blank.printed('stdout', /TimeoutError/);
});

test('X-Timeout below exec_timeout shortens it; above or garbage is ignored (fact 33)', async (t) => {
  const blank = await startHandler(t, waits, { exec_timeout: '150ms' });
  const text = async (asked: string) => (await blank.call('/', { headers: { 'x-timeout': asked } })).body;
  assert.match(await text('20ms'), /X-Timeout of 20ms/);
  assert.match(await text('10s'), /exec_timeout of 150ms/);
  assert.match(await text('soon'), /of 150ms/);
});

test('without exec_timeout X-Timeout is ignored (fact 34)', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => { await new Promise((go) => setTimeout(go, 60)); return "done" }',
    { exec_timeout: '0' },
  );
  assert.equal((await blank.call('/', { headers: { 'x-timeout': '10ms' } })).body, 'done');
});

test('an answer that is not complete at exec_timeout is cut so that the client sees it (fact 37)', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => (async function* () { yield "begin"; await new Promise(() => {}) })()',
    { exec_timeout: '80ms' },
  );
  const message = await open(blank.target, '/');
  assert.equal(message.statusCode, 200);
  await assert.rejects(textOf(message), /aborted/);
});

test('a stream of events is not bound by exec_timeout once it began, but by write_timeout (fact 38)', async (t) => {
  const source = `module.exports = { fetch: () => new Response(new ReadableStream({ async start(c) {
    for (let i = 0; i < 5; i += 1) { c.enqueue(new TextEncoder().encode("data: " + i + "\\n\\n")); await new Promise((go) => setTimeout(go, 20)) } c.close() } }),
    { headers: { "content-type": "text/event-stream" } }) }`;
  const free = await startHandler(t, source, { exec_timeout: '40ms' });
  assert.equal((await free.call('/')).body.match(/data/g)?.length, 5);
  const bound = await startHandler(t, source, { exec_timeout: '40ms', write_timeout: '60ms' });
  await assert.rejects(bound.call('/'), /aborted/);
});

test('a client that leaves aborts the signal of its call', async (t) => {
  const blank = await startHandler(t, waits);
  const socket = connect(blank.socketPath);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  setTimeout(() => socket.destroy(), 30);
  await blank.printed('stdout', /AbortError/);
});

test('calls over max_inflight are 429 at once, readiness says so and health does not (facts 19, 60, 61)', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => { if (e.path === "/wait") { const told = new Promise((go) => process.once("SIGUSR2", go)); console.log("in"); await told } return "ok" }',
    { max_inflight: '1' },
  );
  const first = blank.call('/wait');
  await once(blank.child.stdout as NodeJS.ReadableStream, 'data');
  const refused = await blank.call('/');
  assert.equal(refused.status, 429);
  assert.match(String(refused.headers['content-type']), /^text\/plain/);
  assert.equal(refused.headers['x-openfaas-internal'], 'watchdog');
  assert.match(refused.body, /max_inflight of 1/);
  assert.equal((await blank.call('/_/ready')).status, 429);
  assert.equal((await blank.call('/_/health')).status, 200);
  blank.child.kill('SIGUSR2');
  assert.equal((await first).body, 'ok');
  assert.equal((await blank.call('/')).status, 200);
  const metrics = await blank.call('/_/metrics', { headers: { authorization: 'Bearer a-token' } });
  assert.match(metrics.body, /http_requests_total\{code="429",method="get"\} 1/);
});

test('a body that does not come within read_timeout is 504 and the connection closes (fact 36)', async (t) => {
  const blank = await startHandler(t, 'module.exports = async (e, c) => e.body', { read_timeout: '50ms' });
  const socket = connect(blank.socketPath);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await once(socket, 'close');
  assert.match(text, /^HTTP\/1\.1 504 [\s\S]*read_timeout of 50ms/);
});

test('a body that has come as a whole is not late, however long the function takes to read it', async (t) => {
  const source = `module.exports = { fetch: async (r) => { await new Promise((go) => setTimeout(go, 150)); return new Response(await r.text()) } }`;
  const blank = await startHandler(t, source, { read_timeout: '50ms', exec_timeout: '1h' });
  const answer = await blank.call('/', { method: 'POST', body: 'there' });
  assert.deepEqual([answer.status, answer.body], [200, 'there']);
});

test('ready_path is called for readiness, with its query (fact 20)', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => c.status(e.query.code ? Number(e.query.code) : 200).succeed(e.path)',
    { ready_path: '/am-i?code=207' },
  );
  const answer = await blank.call('/_/ready');
  assert.deepEqual([answer.status, answer.body], [207, '/am-i']);
});

test('GET /_/health is 200 OK, other methods 405; ready is 200 and empty (facts 13, 14, 18)', async (t) => {
  const blank = await startHandler(t, waits);
  const health = await blank.call('/_/health');
  assert.deepEqual([health.status, health.body], [200, 'OK']);
  for (const method of ['POST', 'HEAD', 'DELETE']) assert.equal((await blank.call('/_/health', { method })).status, 405);
  const ready = await blank.call('/_/ready');
  assert.deepEqual([ready.status, ready.body], [200, '']);
});

test('a client that leaves in the middle of its body is no call for the handler', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = (r) => r.text().then(() => console.log("whole"), (error) => { console.log("cut: " + error.message); return new Response() })',
    { handler_style: 'web' },
  );
  const socket = connect(blank.socketPath);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
  setTimeout(() => socket.destroy(), 30);
  await blank.printed('stdout', /cut: body: the client went away/);
  assert.equal((await blank.call('/_/health')).status, 200);
});

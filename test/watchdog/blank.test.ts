import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import test from 'node:test';
import type { Specialization } from '../../provider/types/specialize.ts';
import { warmUp } from '../../watchdog/warm-up.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { call, open, startBlank, startHandler, textOf } from './blank-process.ts';

const echo = 'module.exports = async (event, context) => ({ body: event.body, env: process.env, cwd: process.cwd() })';

test('a blank watchdog answers 503 in its own name until it is specialised', async (t) => {
  const blank = await startBlank(t);
  const answer = await blank.call('/x');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-openfaas-internal'], 'watchdog');
  assert.equal((await blank.call('/_/health')).status, 503);
  assert.equal((await blank.call('/_/ready')).status, 503);
});

test('specialisation gives the function its directory and exactly its environment', async (t) => {
  const blank = await startBlank(t, { 'handler.js': echo });
  const answer = await blank.specialize({ environment: { A: 'b' } });
  assert.deepEqual([answer.status, answer.body], [200, '']);
  const { env, cwd } = JSON.parse((await blank.call('/')).body);
  assert.deepEqual(env, { A: 'b' });
  assert.equal(cwd, blank.dir);
  assert.equal((await blank.call('/_/ready')).status, 200);
});

test('specialisation needs the token and happens once', async (t) => {
  const blank = await startBlank(t, { 'handler.js': echo });
  const post = (authorization: string) => blank.call('/_/specialize', { headers: { authorization }, body: '{}' });
  assert.equal((await post('Bearer wrong')).status, 401);
  assert.equal((await post('')).status, 401);
  assert.equal((await blank.specialize()).status, 200);
  assert.equal((await blank.specialize()).status, 409);
});

test('metrics on the socket need the token and count function traffic only (facts 61 to 64)', async (t) => {
  const blank = await startHandler(t, echo);
  await blank.call('/');
  await blank.call('/', { method: 'POST', body: 'x' });
  await blank.call('/_/health');
  assert.equal((await blank.call('/_/metrics')).status, 401);
  const { body } = await blank.call('/_/metrics', { headers: { authorization: 'Bearer a-token' } });
  assert.match(body, /^http_requests_total\{code="200",method="get"\} 1$/m);
  assert.match(body, /^http_requests_total\{code="200",method="post"\} 1$/m);
  assert.match(body, /^http_request_duration_seconds_bucket\{code="200",method="get",le="0.005"\} \d$/m);
  assert.match(body, /^http_requests_in_flight 0$/m);
});

test('the call that warms a blank watchdog up never reaches a function', async (t) => {
  const blank = await startHandler(t, 'let n = 0; module.exports = async () => String(++n)');
  await warmUp(blank.socketPath);
  assert.equal((await blank.call('/')).body, '1');
});

const failures = [
  { name: 'a handler that throws while loading', source: 'throw new Error("no luck")', reason: 'LoadFailed', message: /no luck/ },
  { name: 'a handler with a syntax error', source: 'module.exports = (', reason: 'LoadFailed', message: /SyntaxError/ },
  { name: 'a module that exports nothing', source: '', reason: 'LoadFailed', message: /expected a function .* got nothing/ },
  { name: 'a missing dependency', source: 'require("nowhere")', reason: 'LoadFailed', message: /nowhere/ },
  { name: 'a handler that exits while loading', source: 'process.exit(0)', reason: 'Exited', message: /process\.exit\(0\)/ },
];

for (const { name, source, reason, message } of failures) {
  test(`${name} is answered 500 with reason ${reason} and the watchdog exits`, async (t) => {
    const blank = await startBlank(t, { 'handler.js': source });
    const answer = await blank.specialize();
    assert.equal(answer.status, 500);
    const failure = JSON.parse(answer.body);
    assert.equal(failure.reason, reason);
    assert.match(failure.message, message);
    assert.notEqual((await blank.exited).code, 0);
    assert.match(blank.output().stderr, message);
  });
}

const invalid: { readonly part: Partial<Specialization>; readonly message: RegExp }[] = [
  { part: { environment: { exec_timeout: 'soon' } }, message: /exec_timeout: expected .* got "soon"/ },
  { part: { root: '/nowhere/at/all' }, message: /root: .*ENOENT/ },
  { part: { mode: 'afterburn' as 'http' }, message: /mode: expected .* got "afterburn"/ },
  { part: { environment: { jwt_auth: 'true' } }, message: /jwt_auth/ },
  { part: { name: '' }, message: /name: expected a text/ },
];

for (const { part, message } of invalid) {
  test(`specialisation with ${JSON.stringify(part)} is refused as Invalid`, async (t) => {
    const blank = await startBlank(t, { 'handler.js': echo });
    const answer = await blank.specialize(part);
    assert.equal(answer.status, 500);
    assert.equal(JSON.parse(answer.body).reason, 'Invalid');
    assert.match(JSON.parse(answer.body).message, message);
    assert.equal((await blank.exited).code, 1);
  });
}

test('a handler module that is ESM, with top-level await, is loaded', async (t) => {
  const blank = await startHandler(
    t,
    'const word = await Promise.resolve("esm"); export default async (event, context) => word',
    {},
    'handler.mjs',
  );
  assert.equal((await blank.call('/')).body, 'esm');
});

test('a handler module that does not finish to load within ready_timeout is NeverReady', async (t) => {
  const source = 'setInterval(() => {}, 1000); await new Promise(() => {}); export default async () => "never"';
  const blank = await startBlank(t, { 'handler.mjs': source });
  const answer = await blank.specialize({ handler: 'handler.mjs', environment: { ready_timeout: '80ms' } });
  assert.equal(answer.status, 500);
  const { reason, message } = JSON.parse(answer.body);
  assert.equal(reason, 'NeverReady');
  assert.match(message, /handler\.mjs: did not finish to load within ready_timeout of 0\.08s/);
  assert.equal((await blank.exited).code, 1);
});

test('an error outside of any call answers running calls 500 in our name, prints the stack and exits', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (event, context) => { if (event.path === "/die") setTimeout(() => { throw new Error("gone wrong") }); await new Promise(() => {}) }',
  );
  const waiting = blank.call('/wait');
  const dying = blank.call('/die');
  for (const answer of await Promise.all([waiting, dying])) {
    assert.equal(answer.status, 500);
    assert.equal(answer.headers['x-openfaas-internal'], 'watchdog');
    assert.match(answer.body, /gone wrong/);
  }
  assert.equal((await blank.exited).code, 1);
  assert.match(blank.output().stderr, /Error: gone wrong\n\s+at /);
});

test('a rejection that nobody handles ends the watchdog with the stack on stderr', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async () => { Promise.reject(new Error("lost")); await new Promise(() => {}) }',
  );
  assert.equal((await blank.call('/')).status, 500);
  assert.equal((await blank.exited).code, 1);
  assert.match(blank.output().stderr, /Error: lost\n\s+at /);
});

test('process.exit in a handler answers the running calls and never looks like success', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (event) => { if (event.path === "/x") process.exit(0); await new Promise(() => {}) }',
    {
      handler_style: 'event',
    },
  );
  const answers = await Promise.all([blank.call('/wait'), blank.call('/x')]);
  assert.deepEqual(
    answers.map((answer) => [answer.status, answer.headers['x-openfaas-internal']]),
    [
      [500, 'watchdog'],
      [500, 'watchdog'],
    ],
  );
  assert.equal((await blank.exited).code, 1);
  assert.match(blank.output().stderr, /process\.exit\(0\)/);
});

test('an answer that has begun is cut when the function dies', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = () => new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("begin")); setTimeout(() => process.exit(3), 20) } }))',
    { handler_style: 'web' },
  );
  const message = await open(blank.target, '/');
  assert.equal(message.statusCode, 200);
  await assert.rejects(textOf(message), /aborted/);
  assert.equal((await blank.exited).code, 3);
});

test('SIGTERM finishes running calls, then exits 0', async (t) => {
  const blank = await startHandler(
    t,
    'module.exports = async (e, c) => { console.log("in"); await new Promise((go) => setTimeout(go, 60)); return "done" }',
  );
  const running = blank.call('/');
  await new Promise((resolve) => blank.child.stdout?.once('data', resolve));
  blank.child.kill('SIGTERM');
  assert.equal((await running).body, 'done');
  assert.deepEqual(await blank.exited, { code: 0, signal: null });
  await assert.rejects(call(blank.target, '/'), /ECONNREFUSED|ENOENT/);
});

test('SIGTERM does not cut off what a slow client has still to take of an answer', async (t) => {
  const bytes = 32 * 1024 * 1024;
  const blank = await startHandler(t, `module.exports = () => "x".repeat(${bytes})`);
  const message = await open(blank.target, '/');
  blank.child.kill('SIGTERM');
  const isClosed = (): Promise<boolean> =>
    call(blank.target, '/_/health').then(
      () => false,
      () => true,
    );
  await eventually(isClosed, { what: 'the listener to be closed' });
  assert.equal((await within(textOf(message), 'the whole answer')).length, bytes);
  assert.deepEqual(await within(blank.exited, 'the end of the watchdog'), { code: 0, signal: null });
});

test('the whole process group ends when the control pipe closes', {
  skip: existsSync('/proc/self/stat') ? false : 'needs /proc',
}, async (t) => {
  const blank = await startHandler(
    t,
    `const child = require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore" });
     module.exports = async (e, c) => String(child.pid)`,
  );
  const pid = Number((await blank.call('/')).body);
  assert.ok(existsSync(`/proc/${pid}`));
  blank.child.stdio[3]?.destroy();
  assert.equal((await blank.exited).signal, 'SIGKILL');
  // A killed orphan may stay a zombie where nobody reaps.
  const isGone = () => !existsSync(`/proc/${pid}/stat`) || /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  for (let i = 0; i < 100 && !isGone(); i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isGone());
});

test('the token and the socket path are not in the environment of the function', async (t) => {
  const blank = await startHandler(t, 'const early = { ...process.env }; module.exports = async (e, c) => early', {
    ONLY: 'this',
  });
  assert.deepEqual(JSON.parse((await blank.call('/')).body), { ONLY: 'this' });
});

test('as root the function runs as the user and group it was given', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async (t) => {
  const blank = await startBlank(t, {
    'handler.js': 'module.exports = async (e, c) => [process.getuid(), process.getgid(), process.getgroups()]',
  });
  chmodSync(blank.dir, 0o755);
  assert.equal((await blank.specialize({ uid: 54321, gid: 54322 })).status, 200);
  const [uid, gid, groups] = JSON.parse((await blank.call('/')).body);
  assert.deepEqual([uid, gid, groups.filter((each: number) => each !== 54322)], [54321, 54322, []]);
});

test('another user than root cannot give a function another user, and says so', {
  skip: process.getuid?.() === 0 ? 'needs another user than root' : false,
}, async (t) => {
  const blank = await startBlank(t, { 'handler.js': echo });
  const answer = await blank.specialize({ uid: 54321, gid: 54322 });
  assert.equal(answer.status, 500);
  assert.match(JSON.parse(answer.body).message, /may not become 54321:54322/);
});

test('a header block over 1 MB is refused with 431 (fact 74)', async (t) => {
  const blank = await startHandler(t, echo);
  const socket = connect(blank.socketPath);
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(1_100_000)}\r\n\r\n`);
  const first = await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
  });
  assert.match(String(first), /^HTTP\/1\.1 431 /);
  socket.destroy();
});

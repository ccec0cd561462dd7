import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { noAuth } from '../../gateway/http/basic-auth.ts';
import { call } from '../helpers/call.ts';
import { authorization, startApp } from './app-under-test.ts';

const protectedPaths: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/system/functions'],
  ['POST', '/system/functions'],
  ['PUT', '/system/functions'],
  ['DELETE', '/system/functions'],
  ['GET', '/system/function/x'],
  ['POST', '/system/scale-function/x'],
  ['GET', '/system/secrets'],
  ['POST', '/system/secrets'],
  ['PUT', '/system/secrets'],
  ['DELETE', '/system/secrets'],
  ['GET', '/system/logs'],
  ['GET', '/system/namespaces'],
  ['POST', '/system/namespace/'],
  ['GET', '/system/namespace/x'],
  ['PUT', '/system/namespace/x'],
  ['DELETE', '/system/namespace/x'],
  ['GET', '/system/namespaces/x'],
  ['GET', '/system/info'],
  ['GET', '/system/telemetry'],
  ['POST', '/system/alert'],
  ['GET', '/system/openapi.json'],
  ['PUT', `/system/bundles/${'a'.repeat(64)}`],
  ['GET', '/ui/'],
  ['GET', '/ui/index.html'],
];

test('facts 4, 6 and 10: every route but the public ones answers 401 without credentials', async (t) => {
  const app = await startApp(t);
  for (const [method, path] of protectedPaths) {
    const answer = await call(app.url, { method, path });
    assert.equal(answer.status, 401, `${method} ${path}`);
    assert.equal(answer.headers['www-authenticate'], 'Basic realm="Restricted"');
    assert.equal(answer.text, 'invalid credentials');
    assert.equal(answer.headers['x-error-code'], 'unauthorized');
  }
  const head = await call(app.url, { method: 'HEAD', path: `/system/bundles/${'a'.repeat(64)}` });
  assert.deepEqual([head.status, head.text], [401, '']);
});

test('facts 7 and 10: wrong credentials are as good as none', async (t) => {
  const app = await startApp(t);
  for (const pair of ['root:right', 'admin:wrong', 'admin:', ':']) {
    const wrong = `Basic ${Buffer.from(pair).toString('base64')}`;
    const answer = await call(app.url, { path: '/system/functions', headers: { Authorization: wrong } });
    assert.equal(answer.status, 401, pair);
  }
});

test('fact 11: /healthz and / need no credentials', async (t) => {
  const app = await startApp(t);
  assert.equal((await call(app.url, { path: '/healthz' })).status, 200);
  assert.equal((await call(app.url, { path: '/' })).status, 307);
});

test('without protection everybody may do everything', async (t) => {
  const app = await startApp(t, {}, { authenticate: noAuth });
  assert.equal((await call(app.url, { path: '/system/functions' })).status, 200);
});

test('credentials are checked before a body is read', async (t) => {
  const app = await startApp(t);
  const answer = await call(app.url, { method: 'POST', path: '/system/functions', body: '{not json' });
  assert.equal(answer.status, 401);
});

test('fact 3: / leads to /ui/', async (t) => {
  const app = await startApp(t);
  const answer = await call(app.url, { path: '/' });
  assert.deepEqual([answer.status, answer.headers.location], [307, '/ui/']);
});

test('fact 12: a known path with another method is 405 with the methods that it has', async (t) => {
  const app = await startApp(t);
  for (const [method, path, allow] of [
    ['PATCH', '/system/functions', 'GET, POST, PUT, DELETE'],
    ['HEAD', '/healthz', 'GET'],
    ['OPTIONS', '/system/info', 'GET'],
    ['POST', '/system/function/x', 'GET'],
    ['POST', '/', 'GET'],
  ] as const) {
    const answer = await app.ask(method, path);
    assert.deepEqual([answer.status, answer.headers.allow], [405, allow], `${method} ${path}`);
  }
});

test('facts 1 and 48: what is no route is 404 page not found', async (t) => {
  const app = await startApp(t);
  const unknown = [
    ['GET', '/metrics'],
    ['GET', '/system'],
    ['GET', '/system/functions/'],
    ['GET', '/SYSTEM/functions'],
    ['GET', '/ui'],
    ['GET', '/system/namespace'],
    ['GET', '/async-function/fn'],
    ['POST', '/async-function/fn'],
    ['GET', '/system/telemetry'],
    ['GET', '/system/function/bad%20name'],
    ['GET', '/system/function/a%2Fb'],
    ['GET', '/system/async-report'],
  ] as const;
  for (const [method, path] of unknown) {
    const answer = await app.ask(method, path);
    assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n'], `${method} ${path}`);
  }
});

test('a path that is not percent-encoded correctly is a bad request', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/function/%zz');
  assert.equal(answer.status, 400);
  assert.match(answer.text, /^path: expected a percent-encoded path/);
});

test('fact 16: /healthz is 200 while the provider works, 502 while it does not, 503 while the gateway stops', async (t) => {
  const app = await startApp(t);
  const health = async () => (await call(app.url, { path: '/healthz' })).status;
  assert.equal(await health(), 200);
  app.provider.setHealthy(false);
  assert.equal(await health(), 502);
  app.provider.setHealthy(true);
  app.stop();
  assert.equal(await health(), 503);
});

test('facts 65, 91 and 103: a body that is not JSON is 400 and says where', async (t) => {
  const app = await startApp(t);
  for (const [method, path] of [
    ['POST', '/system/functions'],
    ['PUT', '/system/functions'],
    ['DELETE', '/system/functions'],
    ['POST', '/system/scale-function/x'],
    ['POST', '/system/secrets'],
    ['POST', '/system/namespace/'],
    ['POST', '/system/alert'],
  ] as const) {
    const answer = await app.ask(method, path, '{"a":\n nope}');
    assert.equal(answer.status, 400, `${method} ${path}`);
    assert.match(answer.text, /^body: expected JSON, got a mistake at line 2, column 2: /);
    assert.equal((await app.ask(method, path)).status, 400, `${method} ${path} without a body`);
    assert.equal((await app.ask(method, path, '[]')).status, 400, `${method} ${path} with a list`);
  }
});

test('a body over the limit is 413, whether its length was declared or not', async (t) => {
  const app = await startApp(t);
  const body = JSON.stringify({ service: 'x'.repeat(1_100_000) });
  const declared = await app.ask('POST', '/system/functions', body);
  assert.equal(declared.status, 413);
  assert.match(declared.text, /^body: expected at most 1048576 bytes, got 1100014/);
  const chunked = await app.ask('POST', '/system/functions', body, { 'Transfer-Encoding': 'chunked' });
  assert.equal(chunked.status, 413);
});

test('a client that falls silent in the middle of a body is cut off', async (t) => {
  const app = await startApp(t, {}, { readTimeoutMs: 20 });
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST /system/functions HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: 100\r\n\r\n{"ser`,
  );
  await once(socket, 'close');
});

test('an error is JSON for who asks for it', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/function/none', undefined, { Accept: 'application/json' });
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(answer.text), {
    error: { code: 'not-found', message: 'function none not found in namespace openfaas-fn' },
  });
});

test('what nobody foresaw is 500, and only the log gets its cause', async (t) => {
  const app = await startApp(t);
  app.provider.failNext('list', new TypeError('broken'));
  assert.equal((await app.ask('GET', '/system/functions')).status, 500);
  assert.ok(app.lines.some((line) => 'err' in line && line.err instanceof TypeError));
});

test('every control request is one sample and one line, with the path of its route', async (t) => {
  const app = await startApp(t);
  await app.ask('GET', '/system/function/secret-name?usage=1');
  await app.ask('GET', '/system/namespace/a-namespace');
  await app.ask('GET', '/nowhere/at/all');
  await app.ask('PATCH', '/system/functions');
  const seen = app.samples.map(({ method, path, status }) => `${method} ${path} ${status}`);
  assert.deepEqual(seen, [
    'GET /system/function 404',
    'GET /system/namespace 404',
    'GET unmatched 404',
    'PATCH /system/functions 405',
  ]);
  assert.equal(app.lines.length, 4);
});

test('who only looks is logged for debugging; changes and refusals are logged always', async (t) => {
  const app = await startApp(t);
  await app.ask('GET', '/system/functions');
  await app.ask('GET', '/system/function/none');
  await app.ask('DELETE', '/system/functions', { functionName: 'none' });
  app.provider.failNext('list', new TypeError('broken'));
  await app.ask('GET', '/system/functions');
  const levels = app.lines.filter((line) => 'method' in line && 'status' in line).map((line) => 'level' in line && line.level);
  assert.deepEqual(levels, ['debug', 'debug', 'info', 'info']);
});

test('probes that find all well are not logged, others are', async (t) => {
  const app = await startApp(t);
  await app.ask('GET', '/healthz');
  assert.deepEqual([app.samples.length, app.lines.length], [1, 0]);
  app.provider.setHealthy(false);
  await app.ask('GET', '/healthz');
  assert.deepEqual([app.samples.length, app.lines.length], [2, 1]);
});

test('a page of another site cannot make a browser change anything', async (t) => {
  const app = await startApp(t);
  const body = { service: 'fn', image: 'echo:1' };
  for (const [site, status] of [
    ['cross-site', 403],
    ['same-site', 403],
    ['same-origin', 202],
  ] as const) {
    assert.equal((await app.ask('POST', '/system/functions', body, { 'Sec-Fetch-Site': site })).status, status, site);
  }
  assert.equal((await app.ask('GET', '/ui/', undefined, { 'Sec-Fetch-Site': 'cross-site' })).status, 200);
});

test('fact 72: kube-system is nobody’s', async (t) => {
  const app = await startApp(t);
  const answers = [
    await app.ask('DELETE', '/system/functions', { functionName: 'x', namespace: 'kube-system' }),
    await app.ask('GET', '/system/functions?namespace=kube-system'),
    await app.ask('POST', '/system/namespace/', { name: 'kube-system' }),
    await app.ask('GET', '/system/namespace/kube-system'),
  ];
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [403, 403, 403, 403],
  );
});

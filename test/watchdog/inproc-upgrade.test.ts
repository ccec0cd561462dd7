import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pickUpgrade } from '../../watchdog/inproc/upgrade-export.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { headerOf, RawClient } from '../helpers/raw-client.ts';
import { accept, echoUpgrade, handshake, maskedHello, plainHello } from '../helpers/web-socket.ts';
import { type Blank, startHandler } from './blank-process.ts';

const imports = `import { createHash } from 'node:crypto';\n`;
const answers = `export default (request) => new Response('ordinary ' + request.headers.get('upgrade'));\n`;
const echoes = `${imports}${answers}export ${echoUpgrade}`;

/** @param upgrade source of a function */
const having = (upgrade: string): string => `${answers}export const upgrade = ${upgrade};`;

const start = (t: TestContext, source: string, environment: Record<string, string> = {}): Promise<Blank> =>
  startHandler(t, source, environment, 'handler.mjs');

const connected = async (t: TestContext, blank: Blank): Promise<RawClient> => {
  const socket = connect({ path: blank.socketPath, allowHalfOpen: true });
  onEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  return new RawClient(socket);
};

/** A client that has sent a handshake. */
const offer = async (t: TestContext, blank: Blank, ...headers: readonly string[]): Promise<RawClient> => {
  const client = await connected(t, blank);
  client.send(handshake('/ws?a=1', ...headers));
  return client;
};

/** A client whose handshake was answered with 101. */
const opened = async (t: TestContext, blank: Blank): Promise<RawClient> => {
  const client = await offer(t, blank);
  assert.equal((await client.answer('GET'))?.status, 101);
  return client;
};

const inFlight = async (blank: Blank): Promise<string | undefined> => {
  const { body } = await blank.call('/_/metrics', { headers: { authorization: 'Bearer a-token' } });
  return /^http_requests_in_flight (\d+)$/m.exec(body)?.[1];
};

const becomes = (blank: Blank, count: string): Promise<unknown> =>
  eventually(async () => (await inFlight(blank)) === count, { what: `${count} in flight`, timeoutMs: 5000 });

test('a handler that exports upgrade speaks WebSocket, and still answers ordinary requests', async (t) => {
  const blank = await start(t, echoes);
  const client = await offer(t, blank);
  const answer = await client.answer('GET');
  assert.ok(answer);
  assert.deepEqual(
    [answer.status, headerOf(answer, 'sec-websocket-accept'), headerOf(answer, 'x-path')],
    [101, accept, '/ws?a=1'],
  );
  client.send(maskedHello);
  await client.until(plainHello);
  assert.equal(client.rest, plainHello);
  assert.equal((await blank.call('/')).body, 'ordinary null');
  client.halfClose();
  await client.end();
});

test('what came right behind the handshake is given as head', async (t) => {
  const blank = await start(t, echoes);
  const client = await connected(t, blank);
  client.send(handshake('/') + maskedHello);
  assert.equal((await client.answer('GET'))?.status, 101);
  await client.until(plainHello);
  assert.equal(client.rest, plainHello);
});

test('upgrade may be a property of the default export or of module.exports, and is called on it', () => {
  const owner = {
    word: 'hi',
    fetch: () => undefined,
    upgrade() {
      return this.word;
    },
  };
  const call = (exported: unknown): unknown => (pickUpgrade(exported) as unknown as (() => unknown) | undefined)?.();
  const handler = Object.assign(() => undefined, { upgrade: () => 'of a function' });
  const rows: readonly (readonly [exported: unknown, wanted: unknown])[] = [
    [owner, 'hi'],
    [{ default: owner }, 'hi'],
    [{ default: { default: owner } }, 'hi'],
    [{ default: { upgrade: () => 'inner' }, upgrade: () => 'named' }, 'named'],
    [handler, 'of a function'],
    [{ default: handler }, 'of a function'],
    [{ default: () => undefined, upgrade: 'text' }, undefined],
    [() => undefined, undefined],
    [null, undefined],
  ];
  for (const [exported, wanted] of rows) assert.equal(call(exported), wanted);
});

test('without the export an offer to upgrade is an ordinary request', async (t) => {
  const client = await offer(t, await start(t, answers));
  const answer = await client.answer('GET');
  assert.deepEqual([answer?.status, answer?.body], [200, 'ordinary websocket']);
});

test('a refusal arrives as the handler wrote it', async (t) => {
  const refusal = 'HTTP/1.1 401 Who Are You\r\nX-A: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno';
  const blank = await start(t, having(`(request, socket) => socket.end(${JSON.stringify(refusal)})`));
  const client = await offer(t, blank);
  await client.end();
  assert.equal(client.received, refusal);
  await becomes(blank, '0');
});

for (const [how, source] of [
  ['throws', '() => { throw new Error("broken") }'],
  ['rejects', 'async () => { throw new Error("broken") }'],
] as const) {
  test(`an upgrade that ${how} before it has answered is 500, and the stack is in the log`, async (t) => {
    const blank = await start(t, having(source));
    const client = await offer(t, blank);
    const answer = await client.answer('GET');
    assert.ok(answer);
    assert.deepEqual(
      [answer.status, answer.reason, headerOf(answer, 'x-openfaas-internal'), headerOf(answer, 'connection'), answer.body],
      [500, 'Internal Server Error', 'watchdog', 'close', 'handler: upgrade: Error: broken\n'],
    );
    await client.end();
    await blank.printed('stderr', /Error: broken\n +at /);
    const json = await (await offer(t, blank, 'Accept: application/json')).answer('GET');
    assert.equal(JSON.parse(json?.body ?? '').error.code, 'internal');
  });
}

test('an upgrade that fails after it has answered is cut, and the function lives', async (t) => {
  const blank = await start(
    t,
    having(`async (request, socket) => {
      await new Promise((done) => socket.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n', done));
      throw new Error('too late');
    }`),
  );
  const client = await opened(t, blank);
  await client.end();
  assert.equal(client.rest, '');
  assert.equal((await blank.call('/')).status, 200);
});

test('a client that breaks off without a listener for it does not end the function', async (t) => {
  const blank = await start(
    t,
    having(`(request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n');
      const timer = setInterval(() => socket.write('tick'), 5);
      socket.on('close', () => clearInterval(timer));
    }`),
  );
  const client = await opened(t, blank);
  client.socket.destroy();
  await becomes(blank, '0');
  assert.equal((await blank.call('/')).status, 200);
});

test('no answer within exec_timeout is 504; an open socket is not bound by it', async (t) => {
  const silent = await start(t, having('() => {}'), { exec_timeout: '50ms' });
  const answer = await (await offer(t, silent)).answer('GET');
  assert.ok(answer);
  assert.deepEqual([answer.status, headerOf(answer, 'x-error-reason')], [504, 'ExecTimeout']);
  assert.match(answer.body, /watchdog: no handshake within exec_timeout of 50ms/);

  const blank = await start(t, `${echoes}\nsetInterval(() => console.log('tick'), 60);`, { exec_timeout: '50ms' });
  const client = await opened(t, blank);
  const ticks = blank.output().stdout.length;
  await eventually(async () => blank.output().stdout.length > ticks + 10, { what: 'the limit has passed', timeoutMs: 5000 });
  client.send(maskedHello);
  await client.until(plainHello);
  assert.equal(client.rest, plainHello);
});

test('open sockets count in max_inflight and in the metric until they close', async (t) => {
  const blank = await start(t, echoes, { max_inflight: '1' });
  const client = await opened(t, blank);
  assert.equal(await inFlight(blank), '1');
  assert.equal((await blank.call('/')).status, 429);
  assert.equal((await blank.call('/_/ready')).status, 429);
  const refused = await (await offer(t, blank)).answer('GET');
  assert.ok(refused);
  assert.deepEqual(
    [refused.status, headerOf(refused, 'retry-after'), headerOf(refused, 'x-openfaas-internal')],
    [429, '1', 'watchdog'],
  );
  assert.match(refused.body, /max_inflight of 1/);
  assert.equal(await inFlight(blank), '1');
  client.socket.destroy();
  await becomes(blank, '0');
  assert.equal((await blank.call('/')).status, 200);
});

test('half of a connection is not kept: who hears the end has a second to end too', async (t) => {
  const blank = await start(
    t,
    having(`(request, socket) => { socket.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n'); socket.resume(); }`),
  );
  const client = await opened(t, blank);
  client.halfClose();
  await client.end();
  await becomes(blank, '0');
});

test('SIGTERM waits for an open socket, which goes on meanwhile', async (t) => {
  const blank = await start(t, echoes);
  const client = await opened(t, blank);
  const draining = once(blank.child, 'exit');
  blank.child.kill('SIGTERM');
  await eventually(() => isGone(blank), { what: 'new connections are refused', timeoutMs: 5000 });
  client.send(maskedHello);
  await client.until(plainHello);
  assert.equal(client.rest, plainHello);
  client.halfClose();
  assert.deepEqual(await draining, [0, null]);
});

/** Whether nobody listens there any more. */
const isGone = (blank: Blank): Promise<boolean> =>
  blank.call('/').then(
    () => false,
    () => true,
  );

test('a socket that is still open at the drain limit is cut', async (t) => {
  const blank = await start(t, echoes, { exec_timeout: '200ms' });
  const client = await opened(t, blank);
  blank.child.kill('SIGTERM');
  await client.end();
  assert.deepEqual(await blank.exited, { code: 0, signal: null });
});

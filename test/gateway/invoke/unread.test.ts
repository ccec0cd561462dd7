// Requests that were lost unread. Only a unix socket of Linux tells; elsewhere such a call is a 502.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createConnections } from '../../../gateway/invoke/connections.ts';
import { type ForwardFailure, Forwarding } from '../../../gateway/invoke/forward.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { call, listen, type Rig, startRawUpstream, startRig, startUpstream } from './rig.ts';

const key = 'fn.openfaas-fn';
const skip = process.platform === 'linux' ? false : 'needs the unix sockets of Linux';

/** A rig whose first choice is a server on a unix socket that does `accept` with each connection, and never reads by itself. */
const startPair = async (t: TestContext, accept: (socket: Socket) => void): Promise<{ rig: Rig; dropped: () => number }> => {
  const rig = await startRig(t, { random: () => 0 });
  let dropped = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    dropped += 1;
    socket.on('error', () => {});
    accept(socket);
  });
  const address = await listen(t, server, join(await makeTmpDir(t), 's'), () => {});
  rig.ready(key, address, 'first');
  rig.ready(key, await startUpstream(t, (req, res) => void req.pipe(res)), 'second');
  return { rig, dropped: () => dropped };
};

/** Long enough for the request to lie in the socket. */
const later = (work: () => void): void => void setTimeout(work, 50);

for (const [what, body] of [
  ['GET', undefined],
  ['POST with a small body', 'small'],
] as const) {
  test(`a ${what} that its replica dies without having read goes to another`, { skip }, async (t) => {
    const { rig } = await startPair(t, (socket) => later(() => socket.destroy()));
    const answer = await call(rig, '/function/fn', body === undefined ? {} : { method: 'POST', body });
    assert.deepEqual([answer.status, answer.text], [200, body ?? '']);
    assert.deepEqual(
      rig.finished.map(({ status }) => status),
      [200],
    );
  });
}

test('a request whose replica dies before it has taken the connection may go to another', { skip }, async (t) => {
  const server = createServer();
  const address = await listen(t, server, join(await makeTmpDir(t), 's'), () => {});
  const connections = createConnections({ address, connectTimeoutMs: 30_000, readBuffer: Buffer.alloc(65_536) });
  onEnd(t, () => connections.close());
  const failure = Promise.withResolvers<ForwardFailure>();
  const unexpected = (): never => assert.fail('there is nobody to answer');
  const forwarding = new Forwarding(connections, {
    informational: unexpected,
    head: unexpected,
    data: unexpected,
    ended: unexpected,
    failed: failure.resolve,
  });
  forwarding.send({ key, method: 'GET', target: '/', headers: [], body: undefined, callId: 'c', origin: 'http' });
  // In the same turn: the kernel has made the connection, and nobody has taken it.
  server.close();
  const { kind, retryable, cause } = await within(failure.promise, 'the failure');
  assert.deepEqual([kind, retryable, (cause as NodeJS.ErrnoException).code], ['unreached', true, 'ECONNRESET']);
});

test('a request that was read is never sent again', { skip }, async (t) => {
  const { rig, dropped } = await startPair(t, (socket) => socket.once('data', () => socket.destroy()).resume());
  assert.equal((await call(rig, '/function/fn')).status, 502);
  assert.equal(dropped(), 1);
});

test('a large request is not sent again: a part of it may have been read', { skip }, async (t) => {
  const { rig } = await startPair(t, (socket) => later(() => socket.destroy()));
  assert.equal((await call(rig, '/function/fn', { method: 'POST', body: 'x'.repeat(40_000) })).status, 502);
});

test('a connection that its replica closed while it was idle costs no call', { skip }, async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const sockets: Socket[] = [];
  const { rig } = await startPair(t, (socket) => {
    sockets.push(socket);
    socket.on('data', () => socket.write(answer)).resume();
  });
  assert.equal((await call(rig, '/function/fn')).text, 'ok');
  const [socket] = sockets;
  const closed = once(socket as Socket, 'close');
  // In the turn in which the next call comes, before the gateway can hear of it.
  const next = call(rig, '/function/fn', { method: 'POST', body: 'next' });
  (socket as Socket).destroy();
  await closed;
  assert.equal((await next).status, 200);
});

test('over TCP nobody knows what was read, and the call is a 502', async (t) => {
  const rig = await startRig(t, { random: () => 0 });
  const address = await startRawUpstream(t, (socket) => {
    socket.pause();
    later(() => socket.resetAndDestroy());
  });
  rig.ready(key, address, 'first');
  rig.ready(key, await startUpstream(t, (_req, res) => res.end('second')), 'second');
  assert.equal((await call(rig, '/function/fn')).status, 502);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { tie } from '../../../gateway/invoke/tie.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { connectRaw, headerOf, type RawClient } from '../../helpers/raw-client.ts';
import { call, type Rig, startRawUpstream, startRig, startUpstream } from './rig.ts';

const key = 'fn.openfaas-fn';

const handshake = (path = '/function/fn', ...more: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: h', 'Connection: Upgrade', 'Upgrade: websocket', ...more, '\r\n'].join('\r\n');

const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Answers the head of each request on a connection of its own. */
const startFunction = async (t: TestContext, rig: Rig, answer: (socket: Socket, head: string) => void): Promise<void> => {
  const address = await startRawUpstream(t, (socket) => {
    socket.once('data', (head: Buffer) => answer(socket, head.toString('latin1')));
  });
  rig.ready(key, address);
};

const offer = async (t: TestContext, rig: Rig, bytes = handshake()): Promise<RawClient> => {
  const client = await connectRaw(rig.port);
  onEnd(t, () => client.socket.destroy());
  client.send(bytes);
  return client;
};

const isFree = (rig: Rig): Promise<unknown> =>
  eventually(() => rig.table.get(key)?.inFlight === 0, { what: 'nothing is in flight', timeoutMs: 10_000 });

test('a function that dies while its WebSockets are written to ends them, and nobody else notices', async (t) => {
  const rig = await startRig(t);
  await startFunction(t, rig, (socket) => {
    socket.write(switched);
    socket.once('data', () => socket.resetAndDestroy());
  });
  rig.ready('other.openfaas-fn', await startUpstream(t, (_req, res) => res.end('well')));
  for (let i = 0; i < 5; i += 1) {
    const client = await offer(t, rig);
    assert.equal((await client.answer('GET'))?.status, 101);
    const flood = (): void => {
      while (!client.socket.destroyed && client.socket.write('x'.repeat(10_000)));
    };
    client.socket.on('drain', flood);
    flood();
    await client.end();
    client.socket.destroy();
  }
  await isFree(rig);
  assert.equal((await call(rig, '/function/other')).text, 'well');
});

describe('headers of an upgrade', () => {
  test('keep their names, order and bytes both ways', async (t) => {
    const rig = await startRig(t);
    let seen = '';
    await startFunction(t, rig, (socket, head) => {
      seen = head;
      const own = 'X-Call-Id: own\r\nX-MiXed: \xe4\r\nSet-Cookie: a\r\nset-cookie: b\r\n';
      socket.write(`HTTP/1.1 101 Have Fun\r\n${own}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 'latin1');
    });
    const client = await offer(
      t,
      rig,
      handshake('/function/fn', 'X-B: \xe4', 'Cookie: 1', 'x-b: 2', 'Cookie: 3', 'constructor: c'),
    );
    const answer = await client.answer('GET');
    assert.match(
      seen,
      /^GET \/ HTTP\/1.1\r\nHost: h\r\nX-B: \xe4\r\nCookie: 1\r\nx-b: 2\r\nCookie: 3\r\nconstructor: c\r\nX-Call-Id: /,
    );
    assert.match(seen, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/);
    assert.equal(answer?.reason, 'Have Fun');
    assert.deepEqual(answer.headers.slice(0, 4), [
      ['X-Call-Id', 'own'],
      ['X-MiXed', '\xe4'],
      ['Set-Cookie', 'a'],
      ['set-cookie', 'b'],
    ]);
    assert.equal(answer.headers.filter(([name]) => name === 'X-Call-Id').length, 1);
  });

  test('a function that asks for an upgrade with 426 says which', async (t) => {
    const rig = await startRig(t);
    await startFunction(t, rig, (socket) =>
      socket.end(
        'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\nContent-Length: 2\r\n\r\nno',
      ),
    );
    const answer = await (await offer(t, rig)).answer('GET');
    assert.ok(answer);
    assert.deepEqual(
      [answer.status, headerOf(answer, 'upgrade'), headerOf(answer, 'connection'), answer.body],
      [426, 'websocket', 'close, Upgrade', 'no'],
    );
  });
});

describe('an answer that declines', () => {
  for (const [how, framing] of [
    ['with a length', 'Content-Length: 10\r\n\r\nhalf'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ] as const) {
    test(`${how} and breaks off does not look complete`, async (t) => {
      const rig = await startRig(t);
      await startFunction(t, rig, (socket) => socket.end(`HTTP/1.1 403 Forbidden\r\n${framing}`));
      const client = await offer(t, rig);
      await client.end();
      assert.match(client.received, /^HTTP\/1.1 403 Forbidden\r\n/);
      assert.equal(await client.answer('GET'), undefined);
      await isFree(rig);
    });
  }

  test('comes whole to a slow client, with its trailers', async (t) => {
    const rig = await startRig(t);
    const body = 'x'.repeat(8 * 1024 * 1024);
    await startFunction(t, rig, (socket) => {
      const bytes = `${body.length.toString(16)}\r\n${body}\r\n0\r\nX-Sum: 1\r\n\r\n`;
      socket.end(`HTTP/1.1 403 Forbidden\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`);
    });
    const client = await offer(t, rig);
    await client.until('\r\n\r\n');
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 300);
    await client.end();
    const answer = await client.answer('GET');
    assert.equal(answer?.body.length, body.length);
    assert.deepEqual(answer?.trailers, [['X-Sum', '1']]);
  });

  test('without an end is cut at the limit of the call, and at once when the client leaves', async (t) => {
    const rig = await startRig(t);
    rig.report(key, { annotations: { 'sluice.dev/timeout': '400ms' } });
    await startFunction(t, rig, (socket) => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf'));
    const client = await offer(t, rig);
    await client.end();
    assert.match(client.received, /half$/);
    await isFree(rig);
    rig.report(key, { annotations: {} });
    const leaving = await offer(t, rig);
    await leaving.until('half');
    leaving.halfClose();
    await isFree(rig);
    assert.deepEqual(
      rig.finished.map(({ status }) => status),
      [403, 403],
    );
  });
});

describe('a client that ends its connection before the function has answered', () => {
  test('is gone for the function, whatever it sent behind the handshake', async (t) => {
    const rig = await startRig(t);
    let closed = 0;
    await startFunction(t, rig, (socket) => socket.on('close', () => (closed += 1)).resume());
    for (const behind of ['', 'early']) {
      const client = await offer(t, rig, handshake() + behind);
      await eventually(() => rig.table.get(key)?.inFlight === 1, { what: 'the call runs' });
      client.halfClose();
      await client.end();
      await isFree(rig);
    }
    await eventually(() => closed === 2, { what: 'both are closed for the function' });
  });

  test('waits no longer for a replica, nor for a place', async (t) => {
    const rig = await startRig(t, { limits: { maxInflight: 1 } });
    rig.report(key, { replicas: 0 });
    const cold = await offer(t, rig);
    await eventually(() => rig.table.get(key)?.waiting === 1, { what: 'it waits for a replica' });
    cold.halfClose();
    await isFree(rig);
    assert.equal(rig.table.get(key)?.waiting, 0);

    await startFunction(t, rig, (socket) => socket.write(switched));
    const first = await offer(t, rig);
    assert.equal((await first.answer('GET'))?.status, 101);
    const queued = await offer(t, rig);
    await eventually(() => rig.queued.get(key) === 1, { what: 'it waits for a place' });
    queued.halfClose();
    await eventually(() => rig.queued.get(key) === 0, { what: 'nobody waits' });
    first.socket.destroy();
    await isFree(rig);
  });
});

test('a limit that no timer can hold is not over at once', async (t) => {
  const rig = await startRig(t);
  rig.report(key, { annotations: { 'sluice.dev/timeout': '1000h', 'sluice.dev/idle-timeout': '1000h' } });
  await startFunction(t, rig, (socket) => setTimeout(() => socket.write(switched), 50));
  assert.equal((await (await offer(t, rig)).answer('GET'))?.status, 101);
});

describe('half of a WebSocket', () => {
  test('a function that has ended hears the last words of its client', async (t) => {
    const rig = await startRig(t);
    const heard = Promise.withResolvers<string>();
    const address = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.end(`${switched}bye`);
        let words = '';
        socket.on('data', (chunk) => {
          words += chunk;
          if (words.length === 5) heard.resolve(words);
        });
      });
    });
    rig.ready(key, address);
    const client = await offer(t, rig);
    await client.end();
    assert.match(client.received, /bye$/);
    client.send('adieu');
    assert.equal(await heard.promise, 'adieu');
    client.halfClose();
    await isFree(rig);
  });

  test('what a function has sent before its end waits for a client that does not take it at once', async (t) => {
    const accepted: Socket[] = [];
    const address = await startRawUpstream(t, (socket) => accepted.push(socket));
    const { port } = address as { port: number };
    const [client, far] = [await connectRaw(port), await connectRaw(port)];
    onEnd(t, () => [client, far].forEach(({ socket }) => void socket.destroy()));
    await eventually(() => accepted.length === 2, { what: 'both connections' });
    const [caller, peer] = accepted as [Socket, Socket];
    client.socket.pause();
    let bytes = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    // More than the system takes for a client that does not read.
    while (bytes < 64 * 1024 * 1024) {
      bytes += chunk.length;
      caller.write(chunk);
    }
    tie(caller, peer);
    far.halfClose();
    await once(peer, 'end');
    // Longer than one who has nothing to take is waited for.
    await delay(1500);
    assert.equal(caller.destroyed, false);
    client.socket.resume();
    await client.end();
    assert.equal(client.received.length, bytes);
    client.halfClose();
    await eventually(() => caller.destroyed && peer.destroyed, { what: 'both are closed', timeoutMs: 10_000 });
  });
});

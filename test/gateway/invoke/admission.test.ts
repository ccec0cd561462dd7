import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '../../helpers/eventually.ts';
import { call, exchange, listen, type Rig, startRig, startUpstream } from './rig.ts';

const key = 'fn.openfaas-fn';

/** Answers when it is told to; `arrived` are the paths in the order in which they came. */
const startGated = async (t: TestContext) => {
  const arrived: string[] = [];
  const open: (() => void)[] = [];
  const address = await startUpstream(t, (req, res) => {
    arrived.push(req.url as string);
    open.push(() => res.end('done'));
  });
  return { address, arrived, finishOne: () => open.shift()?.() };
};

const queuedAre = (rig: Rig, count: number): Promise<unknown> =>
  eventually(() => (rig.queued.get(key) ?? 0) === count, { what: `${count} calls in line` });

describe('admission', () => {
  test('calls over the limit of their function wait their turn; over the queue they are 429 at once', async (t) => {
    const rig = await startRig(t);
    const upstream = await startGated(t);
    rig.report(key, { annotations: { 'sluice.dev/max-inflight': '1', 'sluice.dev/max-queue': '2' } });
    rig.ready(key, upstream.address);
    const calls = [call(rig, '/function/fn/1')];
    await eventually(() => upstream.arrived.length === 1, { what: 'the first call' });
    for (const n of [2, 3]) {
      calls.push(call(rig, `/function/fn/${n}`));
      await queuedAre(rig, n - 1);
    }
    const refused = await call(rig, '/function/fn/4', { headers: { Accept: 'application/json' } });
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(refused.headers['x-openfaas-internal'], 'gateway');
    assert.deepEqual([refused.headers['x-error-code'], refused.headers['x-error-reason']], ['busy', 'MaxInflight']);
    assert.match(JSON.parse(refused.text).error.message, /fn\.openfaas-fn has the 1 calls .*max-inflight .* 2 wait already/);
    assert.deepEqual(rig.refused, [`${key} MaxInflight`]);
    for (const n of [1, 2, 3]) {
      await eventually(() => upstream.arrived.length === n, { what: `call ${n}` });
      upstream.finishOne();
    }
    assert.deepEqual(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]));
    assert.deepEqual(upstream.arrived, ['/1', '/2', '/3']);
    assert.deepEqual([rig.queued.get(key), rig.table.get(key)?.inFlight], [0, 0]);
  });

  test('replicas that are all full are 503, and a second replica takes those who wait', async (t) => {
    const rig = await startRig(t);
    const [first, second] = [await startGated(t), await startGated(t)];
    rig.report(key, { annotations: { 'sluice.dev/max-inflight-per-replica': '1', 'sluice.dev/max-queue': '1' } });
    rig.ready(key, first.address);
    const running = call(rig, '/function/fn/1');
    await eventually(() => first.arrived.length === 1, { what: 'the first call' });
    const waiting = call(rig, '/function/fn/2');
    await queuedAre(rig, 1);
    const refused = await call(rig, '/function/fn/3');
    assert.deepEqual([refused.status, refused.headers['x-error-reason']], [503, 'NoCapacity']);
    assert.ok(refused.headers['retry-after']);
    rig.ready(key, second.address);
    await eventually(() => second.arrived.length === 1, { what: 'the second call, at the second replica' });
    first.finishOne();
    second.finishOne();
    assert.deepEqual([(await running).status, (await waiting).status], [200, 200]);
  });

  test('who waits too long is sent away; a client that leaves the line makes room in it', async (t) => {
    const rig = await startRig(t, { limits: { maxInflight: 1, maxQueue: 1, maxQueueWaitMs: 300 } });
    const upstream = await startGated(t);
    rig.ready(key, upstream.address);
    const running = call(rig, '/function/fn/1');
    await eventually(() => upstream.arrived.length === 1, { what: 'the first call' });
    const leaver = connect(rig.port, '127.0.0.1');
    leaver.write('GET /function/fn/leaver HTTP/1.1\r\nHost: h\r\n\r\n');
    await queuedAre(rig, 1);
    leaver.destroy();
    await queuedAre(rig, 0);
    const late = await call(rig, '/function/fn/2');
    assert.deepEqual([late.status, late.headers['x-error-reason']], [429, 'QueueTimeout']);
    assert.match(late.text, /within 300ms \(sluice\.dev\/max-queue-wait\)/);
    upstream.finishOne();
    assert.equal((await running).status, 200);
    assert.deepEqual(upstream.arrived, ['/1']);
    assert.equal(rig.table.get(key)?.inFlight, 0);
  });

  test('at zero as many callers wait for a replica as may run, and the queue holds the next', async (t) => {
    const rig = await startRig(t);
    const upstream = await startGated(t);
    rig.report(key, { replicas: 0, annotations: { 'sluice.dev/max-inflight': '1', 'sluice.dev/max-queue': '1' } });
    const calls = [call(rig, '/function/fn/1')];
    await eventually(() => rig.scaled.length === 1, { what: 'an order to wake the function' });
    calls.push(call(rig, '/function/fn/2'));
    await queuedAre(rig, 1);
    assert.equal((await call(rig, '/function/fn/3')).status, 429);
    rig.ready(key, upstream.address);
    for (const n of [1, 2]) {
      await eventually(() => upstream.arrived.length === n, { what: `call ${n}` });
      upstream.finishOne();
    }
    assert.deepEqual(
      (await Promise.all(calls)).map(({ status }) => status),
      [200, 200],
    );
  });

  test('a hundred callers woken at once do not overrun a replica of one place', async (t) => {
    const rig = await startRig(t, { limits: { maxInflightPerReplica: 1, maxQueue: 100 } });
    let running = 0;
    let most = 0;
    const address = await startUpstream(t, (_req, res) => {
      most = Math.max(most, ++running);
      setImmediate(() => {
        running -= 1;
        res.end();
      });
    });
    rig.report(key, { replicas: 0 });
    const calls = Array.from({ length: 100 }, () => call(rig, '/function/fn'));
    await eventually(() => rig.table.get(key)?.waiting === 100, { what: '100 callers' });
    rig.ready(key, address);
    assert.deepEqual(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]));
    assert.equal(most, 1);
  });

  test('a limit that is lifted lets everyone in, and a removed function sends them away', async (t) => {
    const rig = await startRig(t);
    const upstream = await startGated(t);
    rig.report(key, { annotations: { 'sluice.dev/max-inflight': '1' } });
    rig.ready(key, upstream.address);
    const calls = [call(rig, '/function/fn/1'), call(rig, '/function/fn/2')];
    await queuedAre(rig, 1);
    rig.report(key, { annotations: {} });
    await eventually(() => upstream.arrived.length === 2, { what: 'both calls' });
    assert.equal(rig.table.get(key)?.gate, undefined);
    rig.report(key, { annotations: { 'sluice.dev/max-inflight': '2' } });
    const waiting = call(rig, '/function/fn/3');
    await queuedAre(rig, 1);
    rig.table.functionRemoved({ name: 'fn', namespace: 'openfaas-fn' });
    assert.equal((await waiting).status, 404);
    upstream.finishOne();
    upstream.finishOne();
    await Promise.all(calls);
  });

  test('a refused upload that asked first is never sent; an admitted one is asked for', async (t) => {
    const rig = await startRig(t, { limits: { maxInflight: 1, maxQueue: 0 } });
    const upstream = await startGated(t);
    rig.ready(key, upstream.address);
    const running = call(rig, '/function/fn/1');
    await eventually(() => upstream.arrived.length === 1, { what: 'the first call' });
    const upload = request({
      port: rig.port,
      path: '/function/fn/2',
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': 1_000_000 },
      agent: false,
    });
    let asked = false;
    upload.on('continue', () => {
      asked = true;
    });
    upload.on('error', () => {});
    upload.flushHeaders();
    const [response] = await once(upload, 'response');
    assert.deepEqual([response.statusCode, asked], [429, false]);
    upload.destroy();
    upstream.finishOne();
    await running;
  });

  test('an open WebSocket takes a place, and one that is refused is told as any call', async (t) => {
    const rig = await startRig(t, { limits: { maxInflight: 1, maxQueue: 0 } });
    const peers = new Set<Socket>();
    const server = createServer();
    server.on('upgrade', (_req, socket: Socket) => {
      peers.add(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    rig.ready(key, await listen(t, server, undefined, () => peers.forEach((socket) => void socket.destroy())));
    const handshake = 'GET /function/fn HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(handshake);
    await once(socket, 'data');
    assert.match(await exchange(rig.port, handshake, connect), /^HTTP\/1\.1 429 .*Retry-After: 1.*X-Call-Id/is);
    assert.equal((await call(rig, '/function/fn')).status, 429);
    socket.destroy();
    await eventually(() => rig.table.get(key)?.inFlight === 0, { what: 'the socket to be given back' });
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../../provider/provider.ts';
import { eventually } from '../../helpers/eventually.ts';
import { call, listen, startRig, startUpstream } from './rig.ts';

const key = 'fn.openfaas-fn';
/** Many times as long as the pauses of what is to go on, which a busy machine makes longer. */
const limits = { idleTimeoutMs: 1500 };

describe('the limit on silence', () => {
  test('cuts an answer that pauses longer, and not one that only lasts longer', async (t) => {
    const rig = await startRig(t, { limits });
    const address = await startUpstream(t, async (req, res) => {
      for (let i = 0; i < 16 && !res.closed; i += 1) {
        res.write('.');
        await delay(req.url === '/steady' ? 100 : 2500);
      }
      res.end();
    });
    rig.ready(key, address);
    assert.equal((await call(rig, '/function/fn/steady')).text, '.'.repeat(16));
    await assert.rejects(call(rig, '/function/fn/pausing'), /aborted/);
  });

  test('does not hurry a function that thinks before it answers', async (t) => {
    const rig = await startRig(t, { limits });
    rig.ready(
      key,
      await startUpstream(t, (req, res) => req.resume().on('end', () => setTimeout(() => res.end('thought'), 1800))),
    );
    const upload = request({ port: rig.port, path: '/function/fn', method: 'POST', agent: false });
    upload.write('part');
    setTimeout(() => upload.end('end'), 60);
    const [response] = await once(upload, 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
  });

  test('ends an upload that stops half-way, saying why', async (t) => {
    const rig = await startRig(t);
    rig.report(key, { annotations: { 'sluice.dev/idle-timeout': '80ms' } });
    const aborted = Promise.withResolvers<void>();
    rig.ready(
      key,
      await startUpstream(t, (req) =>
        req
          .resume()
          .on('error', () => {})
          .on('close', aborted.resolve),
      ),
    );
    const upload = request({ port: rig.port, path: '/function/fn', method: 'POST', agent: false });
    upload.on('error', () => {});
    upload.write('part');
    const [response] = await once(upload, 'response');
    let text = '';
    for await (const chunk of response) text += chunk;
    assert.deepEqual([response.statusCode, response.headers['x-error-reason']], [504, 'IdleTimeout']);
    assert.match(text, /80ms, .* gateway .*sluice\.dev\/idle-timeout/);
    await aborted.promise;
    upload.destroy();
  });

  const startEcho = (t: TestContext): Promise<Address> => {
    const sockets = new Set<Socket>();
    const server = createServer();
    server.on('upgrade', (_req, socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    return listen(t, server, undefined, () => sockets.forEach((socket) => void socket.destroy()));
  };
  const handshake = 'GET /function/fn HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  test('ends a WebSocket on which nothing moves, and not one that is used', async (t) => {
    const rig = await startRig(t, { limits });
    rig.ready(key, await startEcho(t));
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(handshake);
    await once(socket, 'data');
    for (let i = 0; i < 16; i += 1) {
      await delay(100);
      socket.write('x');
      await once(socket, 'data');
    }
    const begin = performance.now();
    await once(socket.resume(), 'close');
    assert.ok(performance.now() - begin > 700);
    await eventually(() => rig.finished.at(-1)?.status === 101, { what: 'the end of the call' });
  });

  test('a gateway that stops waits for an open WebSocket, but not for ever', async (t) => {
    const rig = await startRig(t);
    rig.ready(key, await startEcho(t));
    const [patient, stubborn] = [connect(rig.port, '127.0.0.1'), connect(rig.port, '127.0.0.1')];
    for (const socket of [patient, stubborn]) {
      socket.write(handshake);
      await once(socket, 'data');
    }
    const closed = rig.server.close({ drainMs: 250 });
    patient.write('still');
    const [echoed] = await once(patient, 'data');
    assert.equal(String(echoed), 'still');
    patient.end();
    const begin = performance.now();
    await Promise.all([once(stubborn.resume(), 'close'), closed]);
    assert.ok(performance.now() - begin > 100);
    await eventually(() => rig.table.get(key)?.inFlight === 0, { what: 'both to be given back' });
  });
});

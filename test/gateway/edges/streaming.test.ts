// Bodies on their way: when they are asked for, when they are passed on, and how much of them is in memory.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Address } from '../../../provider/provider.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { connectRaw, headerOf, type RawClient } from '../../helpers/raw-client.ts';
import { ownAnswer, startRecorder } from '../../helpers/recorder.ts';
import { type Handler, listen, startRawUpstream, startRig, startUpstream } from '../invoke/rig.ts';

const mebibyte = 1024 * 1024;

const upload = (name: string, length: number): string =>
  `POST /function/${name} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;

/** A server that takes heads as long as the gateway does. */
const startWide = async (t: TestContext, handler: Handler): Promise<Address> => {
  const server = createServer({ maxHeaderSize: 2 * mebibyte }, handler);
  return listen(t, server, undefined, () => server.closeAllConnections());
};

test('a body is asked for when the function is awake, not while the call waits for it', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const client = await connectRaw(rig.port);
  client.send(upload('fn', 4));
  await eventually(() => rig.scaled.length === 1, { what: 'the function to be woken' });
  assert.equal(client.received, '');
  const recorder = await startRecorder(t);
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: recorder.port });
  await within(client.until('100 Continue\r\n\r\n'), 'the body to be asked for');
  client.send('body');
  assert.equal((await client.answer('POST'))?.body, 'answer to POST /');
  assert.match(recorder.received, /\r\n\r\nbody$/);
  client.socket.destroy();
});

test('a body is not asked for when the call is refused: the function fails, cannot be reached, or is not there', async (t) => {
  const rig = await startRig(t);
  rig.report('failing.openfaas-fn', { failure: { reason: 'CrashLoop', message: 'it keeps ending' } });
  rig.ready('unreachable.openfaas-fn', { host: '127.0.0.1', port: 1 });
  for (const [name, status] of [
    ['failing', 503],
    ['unreachable', 502],
    ['nobody', 404],
  ] as const) {
    const client = await connectRaw(rig.port);
    client.send(upload(name, 4));
    const answer = await within(client.answer('POST'), name);
    assert.deepEqual([answer?.status, answer?.informational], [status, []], name);
    await within(client.end(), 'the connection to be closed: the body may come or not');
    client.socket.destroy();
  }
});

for (const [type, events] of [
  ['text/event-stream', ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']],
  ['application/x-ndjson', ['{"n":1}\n', '{"n":2}\n', '{"n":3}\n']],
] as const) {
  test(`${type}: every part arrives before the next one is made`, async (t) => {
    const rig = await startRig(t);
    let response: ServerResponse | undefined;
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (_req, res) => {
        response = res.writeHead(200, { 'Content-Type': type });
        res.write(events[0]);
      }),
    );
    const client = await connectRaw(rig.port);
    client.send('GET /function/fn HTTP/1.1\r\nHost: h\r\n\r\n');
    for (const [i, event] of events.entries()) {
      await within(client.until(event), event);
      const next = events[i + 1];
      if (next === undefined) response?.end();
      else response?.write(next);
    }
    const answer = await client.answer('GET');
    assert.equal(answer?.body, events.join(''));
    client.socket.destroy();
  });
}

test('the parts of a chunked upload arrive before the next one is sent', async (t) => {
  const rig = await startRig(t);
  const recorder = await startRecorder(t);
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: recorder.port });
  const client = await connectRaw(rig.port);
  client.send('POST /function/fn HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (const part of ['one', 'three', 'seven']) {
    client.send(`${part.length}\r\n${part}\r\n`);
    await eventually(() => recorder.received.includes(part), { what: `${part} at the function` });
  }
  client.send('0\r\n\r\n');
  assert.equal((await client.answer('POST'))?.status, 200);
  client.socket.destroy();
});

test('heads of nearly 1 MiB pass in both directions', async (t) => {
  const rig = await startRig(t);
  const long = 'x'.repeat(mebibyte - 2000);
  rig.ready('fn.openfaas-fn', await startWide(t, (req, res) => res.writeHead(200, { 'X-Long': req.headers['x-long'] }).end()));
  const client = await connectRaw(rig.port);
  client.send(`GET /function/fn HTTP/1.1\r\nHost: h\r\nX-Long: ${long}\r\n\r\n`);
  const answer = await within(client.answer('GET'), 'the answer');
  assert.equal(answer?.status, 200);
  assert.equal(headerOf(answer as NonNullable<typeof answer>, 'x-long'), long);
  client.socket.destroy();
});

/** What the process holds outside of the heap of JavaScript: bodies are there. */
const heldBytes = (): number => process.memoryUsage().arrayBuffers;

/** Calls `step` until nothing has moved for a while, which is how a stall shows. */
const untilStalled = async (position: () => number): Promise<void> => {
  let last = -1;
  await eventually(
    () => {
      const now = position();
      const stalled = now === last && now > 0;
      last = now;
      return stalled;
    },
    { what: 'a stall', intervalMs: 100 },
  );
};

test('a function that does not read stops the client, and little of the body is in memory', async (t) => {
  const rig = await startRig(t);
  const arrived = Promise.withResolvers<Socket>();
  rig.ready(
    'fn.openfaas-fn',
    await startRawUpstream(t, (socket) => {
      socket.pause();
      arrived.resolve(socket);
    }),
  );
  const client = await connectRaw(rig.port);
  const total = 64 * mebibyte;
  const part = Buffer.alloc(64 * 1024);
  client.send(`POST /function/fn HTTP/1.1\r\nHost: h\r\nContent-Length: ${total}\r\n\r\n`);
  const upstream = await arrived.promise;
  const before = heldBytes();
  let sent = 0;
  const push = (): void => {
    while (sent < total) {
      sent += part.length;
      if (!client.socket.write(part)) return void client.socket.once('drain', push);
    }
  };
  push();
  await untilStalled(() => sent);
  assert.ok(sent < 32 * mebibyte, `${sent} bytes were taken from the client`);
  assert.ok(heldBytes() - before < 8 * mebibyte, `${heldBytes() - before} bytes more in memory`);
  let read = 0;
  upstream.resume().on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > total) upstream.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  assert.equal((await within(client.answer('POST'), 'the answer'))?.status, 200);
  client.socket.destroy();
});

test('a client that does not read stops the function, and little of the answer is in memory', async (t) => {
  const rig = await startRig(t);
  let taken = 0;
  rig.ready(
    'fn.openfaas-fn',
    await startUpstream(t, (_req, res) => {
      const part = Buffer.alloc(64 * 1024);
      const push = (): void => {
        while (taken < 64 * mebibyte) {
          taken += part.length;
          if (!res.write(part)) return void res.once('drain', push);
        }
        res.end();
      };
      push();
    }),
  );
  const client = await connectRaw(rig.port);
  client.socket.pause();
  const before = heldBytes();
  client.send('GET /function/fn HTTP/1.1\r\nHost: h\r\n\r\n');
  await untilStalled(() => taken);
  assert.ok(taken < 32 * mebibyte, `${taken} bytes were taken from the function`);
  assert.ok(heldBytes() - before < 8 * mebibyte, `${heldBytes() - before} bytes more in memory`);
  client.socket.destroy();
  await eventually(() => rig.table.get('fn.openfaas-fn')?.inFlight === 0, { what: 'the call to end with its client' });
});

test('informational answers do not pile up for a client that does not read', async (t) => {
  const rig = await startRig(t);
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(8000)}>\r\n\r\n`.repeat(100);
  let written = 0;
  rig.ready(
    'fn.openfaas-fn',
    await startRawUpstream(t, (socket) => {
      const push = (): void => {
        while (written < 64 * mebibyte) {
          written += hint.length;
          if (!socket.write(hint)) return void socket.once('drain', push);
        }
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      };
      socket.once('data', push);
    }),
  );
  const client = await connectRaw(rig.port);
  client.socket.pause();
  const before = heldBytes() + process.memoryUsage().heapUsed;
  client.send('GET /function/fn HTTP/1.1\r\nHost: h\r\n\r\n');
  await eventually(() => written >= 64 * mebibyte, { what: 'all hints to be read' });
  const more = heldBytes() + process.memoryUsage().heapUsed - before;
  assert.ok(more < 48 * mebibyte, `${more} bytes more in memory`);
  client.socket.destroy();
});

const refusedAndOpen = async (port: number, bytes: string): Promise<RawClient> => {
  const client = await connectRaw(port);
  client.send(bytes);
  await within(client.end(), 'the end of what the gateway sends');
  return client;
};

test('a client that is refused and does not close is cut off', async (t) => {
  const rig = await startRig(t);
  const handshake = 'GET /function/nobody HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const refuse = async (bytes: string): Promise<void> => {
    const client = await refusedAndOpen(rig.port, bytes);
    const cut = Promise.withResolvers<void>();
    client.socket.once('error', () => cut.resolve());
    client.socket.once('close', () => cut.resolve());
    const knock = setInterval(() => client.socket.write('x'), 50);
    await within(cut.promise, `the cut of ${JSON.stringify(bytes)}`);
    clearInterval(knock);
  };
  await Promise.all(['garbage\r\n\r\n', handshake, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'].map(refuse));
});

test('a thousand requests in one packet reach the function one at a time, and all are answered in order', async (t) => {
  const rig = await startRig(t);
  let running = 0;
  let most = 0;
  rig.ready(
    'fn.openfaas-fn',
    await startUpstream(t, (req, res) => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
        res.end(req.url);
      });
    }),
  );
  const client = await connectRaw(rig.port);
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  client.send(numbers.map((i) => `GET /function/fn/${i} HTTP/1.1\r\nHost: h\r\n\r\n`).join(''));
  for (const i of numbers) assert.equal((await within(client.answer('GET'), `answer ${i}`))?.body, `/${i}`);
  assert.equal(most, 1);
  assert.equal(rig.finished.length, 1000);
  client.socket.destroy();
});

test('an HTTP/1.0 client can tell an answer that breaks off from one that ends', async (t) => {
  const rig = await startRig(t);
  const recorder = await startRecorder(t, ({ target }) =>
    target === '/broken'
      ? { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', afterwards: 'destroy' }
      : ownAnswer({ head: '', method: 'GET', target }),
  );
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: recorder.port });
  const ending = async (path: string): Promise<string> => {
    const client = await connectRaw(rig.port);
    const how = Promise.race([
      once(client.socket, 'end').then(() => 'ended'),
      once(client.socket, 'error').then(
        () => 'cut',
        () => 'cut',
      ),
    ]).catch((error: NodeJS.ErrnoException) => error.code ?? 'cut');
    client.send(`GET /function/fn${path} HTTP/1.0\r\n\r\n`);
    const result = await within(how, 'the end');
    client.socket.destroy();
    return result;
  };
  assert.equal(await ending('/whole'), 'ended');
  assert.equal(await ending('/broken'), 'ECONNRESET');
});

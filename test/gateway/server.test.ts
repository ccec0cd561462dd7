import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer } from '../../gateway/server.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { within } from '../helpers/eventually.ts';
import { call, exchange, startRig, startUpstream } from './invoke/rig.ts';

test('what is no function path goes to the control side', async (t) => {
  const rig = await startRig(t);
  for (const path of ['/', '/system/functions', '/functions', '/function'])
    assert.equal((await call(rig, path)).text, 'control', path);
});

test('requests that two readers could read differently are 400, and reach nobody', async (t) => {
  const rig = await startRig(t);
  let reached = 0;
  rig.ready(
    'fn.openfaas-fn',
    await startUpstream(t, (_req, res) => {
      reached += 1;
      res.end();
    }),
  );
  const rows: [string, string][] = [
    ['two Hosts', 'GET /function/fn HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'],
    ['a coding besides chunked', 'POST /function/fn HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'a coding twice',
      'POST /function/fn HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a coding in HTTP/1.0', 'POST /function/fn HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'POST /function/fn HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and coding',
      'POST /function/fn HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a length that is no number', 'POST /function/fn HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na'],
    ['a space before the colon', 'GET /function/fn HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n'],
    ['no Host', 'GET /function/fn HTTP/1.1\r\n\r\n'],
    [
      'a bare line feed in a chunk size',
      'POST /function/fn HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n',
    ],
  ];
  for (const [name, bytes] of rows) {
    const text = await exchange(rig.port, bytes, connect);
    assert.match(text, /^HTTP\/1.1 400 /, name);
    assert.equal(text.match(/HTTP\/1.1 \d/g)?.length, 1, name);
  }
  assert.equal(reached, 0);
});

test('heads up to 1 MiB pass, longer ones are 431', async (t) => {
  const rig = await startRig(t);
  rig.ready(
    'fn.openfaas-fn',
    await startUpstream(t, (_req, res) => res.end('passed')).then(async () => {
      const { createServer: createHttp } = await import('node:http');
      const server = createHttp({ maxHeaderSize: 2 ** 21 }, (req, res) => res.end(String(req.headers['x-long']?.length)));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onEnd(t, () => {
        server.closeAllConnections();
        server.close();
      });
      return { host: '127.0.0.1', port: (server.address() as { port: number }).port };
    }),
  );
  assert.equal((await call(rig, '/function/fn', { headers: { 'X-Long': 'x'.repeat(1_000_000) } })).text, '1000000');
  const text = await exchange(
    rig.port,
    `GET /function/fn HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(1_100_000)}\r\n\r\n`,
    connect,
  ).catch(String);
  assert.match(text, /^HTTP\/1.1 431 .*X-Error-Code: headers-too-large|ECONNRESET|EPIPE/s);
});

test('more headers than node counts by default are all passed', async (t) => {
  const rig = await startRig(t);
  const { createServer: createHttp } = await import('node:http');
  const upstream = createHttp({ maxHeaderSize: 2 ** 20 }, (req, res) =>
    res.end(String(req.rawHeaders.filter((name) => name.startsWith('X-N')).length)),
  );
  upstream.maxHeadersCount = 0;
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onEnd(t, () => {
    upstream.closeAllConnections();
    upstream.close();
  });
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: (upstream.address() as { port: number }).port });
  const lines = Array.from({ length: 2500 }, (_, i) => `X-N${i}: ${i}\r\n`).join('');
  const text = await exchange(rig.port, `GET /function/fn HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`, connect);
  assert.match(text, /\r\n2500\r\n|\r\n\r\n2500/);
});

test('a head that does not come to its end is 408', async (t) => {
  const server = createServer({
    functions: { handle: () => {}, upgrade: () => {} },
    control: (_req, res) => void res.end(),
    isFunctionPath: () => false,
    headersTimeoutMs: 50,
    checkMs: 20,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onEnd(t, () => server.close());
  assert.match(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n', connect), /^HTTP\/1.1 408 /);
});

test('a taken port is an error that names it', async (t) => {
  const rig = await startRig(t);
  const second = createServer({
    functions: { handle: () => {}, upgrade: () => {} },
    control: () => {},
    isFunctionPath: () => false,
  });
  await assert.rejects(second.listen({ host: '127.0.0.1', port: rig.port }), { code: 'EADDRINUSE', port: rig.port });
});

test('closing takes no new connections, finishes what runs, and tells clients that the connection ends', async (t) => {
  const rig = await startRig(t);
  const arrived = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  rig.ready(
    'fn.openfaas-fn',
    await startUpstream(t, async (_req, res) => {
      arrived.resolve();
      await finish.promise;
      res.end('finished');
    }),
  );
  const socket = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  socket.write('GET /function/fn HTTP/1.1\r\nHost: a\r\n\r\n');
  const idle = connect(rig.port, '127.0.0.1');
  await arrived.promise;
  const closing = rig.server.close({ drainMs: 5000 });
  await assert.rejects(call(rig, '/function/fn'), { code: 'ECONNREFUSED' });
  finish.resolve();
  let text = '';
  for await (const chunk of socket) text += chunk;
  assert.match(text, /^HTTP\/1.1 200 .*Connection: close.*finished/s);
  idle.destroy();
  await closing;
});

/** A server whose control side is `answer`, and a client of it that has got the beginning of the answer, and takes no more. */
const startSlow = async (t: TestContext, answer: (res: ServerResponse) => void) => {
  const server = createServer({
    functions: { handle: () => {}, upgrade: () => {} },
    control: (_req, res) => answer(res),
    isFunctionPath: () => false,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onEnd(t, () => server.close());
  const client = connect(port, '127.0.0.1').setEncoding('latin1');
  onEnd(t, () => client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [head] = await within(once(client, 'data'), 'the beginning of the answer');
  client.pause();
  const rest = async (): Promise<string> => {
    let text = head;
    for await (const piece of client) text += piece;
    return text;
  };
  return { server, rest };
};

test('closing does not cut off what a slow client has still to take of an answer', async (t) => {
  const bytes = 32 * 1024 * 1024;
  const { server, rest } = await startSlow(t, (res) =>
    res.writeHead(200, { 'Content-Length': bytes }).end(Buffer.alloc(bytes, 'x')),
  );
  const closing = server.close({ drainMs: 60_000 });
  const text = await within(rest(), 'the rest of the answer');
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, bytes);
  await within(closing, 'the server to be closed');
});

test('closing does not wait for a connection whose answer has ended, whatever its head said', async (t) => {
  const answering = Promise.withResolvers<ServerResponse>();
  const { server, rest } = await startSlow(t, (res) => {
    res.write('begun');
    answering.resolve(res);
  });
  const closing = server.close({ drainMs: 600_000 });
  (await answering.promise).end('ended');
  assert.match(await within(rest(), 'the rest of the answer'), /^HTTP\/1.1 200 .*Connection: keep-alive.*begun.*ended/s);
  await within(closing, 'the server to be closed');
});

test('a server that retires takes what comes, each request as the last on its connection', async (t) => {
  const rig = await startRig(t);
  rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('passed')));
  const bytes = 'GET /function/fn HTTP/1.1\r\nHost: a\r\n\r\n';
  const kept = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  kept.write(bytes);
  const [first] = await once(kept, 'data');
  assert.match(first, /^HTTP\/1.1 200 (?!.*Connection: close)/s);
  rig.server.retire();
  kept.write(bytes);
  let second = '';
  for await (const chunk of kept) second += chunk;
  assert.match(second, /^HTTP\/1.1 200 .*Connection: close.*passed/s);
  assert.match(await exchange(rig.port, bytes, connect), /^HTTP\/1.1 200 .*Connection: close.*passed/s);
});

test('a server that retires while a client waits to be asked for its body answers it last on its connection', async (t) => {
  const rig = await startRig(t);
  const upstream = await startUpstream(t, (req, res) => void req.resume().on('end', () => res.end('passed')));
  const woken = Promise.withResolvers<void>();
  rig.provider.scale = async () => woken.resolve();
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const client = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  client.write('POST /function/fn HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await woken.promise;
  rig.server.retire();
  rig.ready('fn.openfaas-fn', upstream);
  let text = '';
  for await (const chunk of client) {
    text += chunk;
    if (text.endsWith('100 Continue\r\n\r\n')) client.write('hello');
  }
  assert.match(text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 .*Connection: close.*passed/s);
});

test('calls that do not finish within the drain time are cut', async (t) => {
  const rig = await startRig(t);
  const arrived = Promise.withResolvers<void>();
  rig.ready('fn.openfaas-fn', await startUpstream(t, () => arrived.resolve()));
  const cut = assert.rejects(call(rig, '/function/fn'), { code: 'ECONNRESET' });
  await arrived.promise;
  await rig.server.close({ drainMs: 50 });
  await cut;
});

/** Connections to a port of this machine from a client's side, as the system has them: the list may name one twice. */
const established = (port: number): number => {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, localAddress = '', remoteAddress = '', state] = line.trim().split(/\s+/);
    if (remoteAddress.endsWith(remote) && state === '01') found.add(localAddress);
  }
  return found.size;
};

test('callers who come in their thousands at one moment all get a connection, however busy the gateway is', {
  skip: process.platform !== 'linux' && 'reads what Linux tells of connections',
}, async (t) => {
  const rig = await startRig(t);
  const limit = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
  const count = Math.min(800, limit);
  const clients = Array.from({ length: count }, () => connect(rig.port, '127.0.0.1'));
  onEnd(t, () => {
    for (const client of clients) client.destroy();
  });
  // They are on their way after this turn's ticks, and nobody has taken one yet.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  // A busy system may take a moment to tie them; nothing else of this process runs meanwhile.
  const deadline = performance.now() + 20_000;
  let tied = 0;
  while (tied < count && performance.now() < deadline) tied = established(rig.port);
  // Connections of others may have the same port at their other end.
  assert.ok(tied >= count, `${tied} of ${count}`);
  await Promise.all(clients.map((client) => once(client, 'connect')));
});

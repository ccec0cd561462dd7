import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Address } from '../../../provider/provider.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { connectRaw, headerOf } from '../../helpers/raw-client.ts';
import { exchange, listen, startRawUpstream, startRig, startUpstream } from './rig.ts';

const handshake = (path: string, extra = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n${extra}\r\n`;

/** Switches protocols, tells what it was asked, then echoes. */
const startEcho = (t: TestContext, sockets: Set<Socket> = new Set()): Promise<Address> => {
  const server = createServer((_req, res) => res.writeHead(426).end('not here'));
  server.on('upgrade', (req, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: b\r\n\r\n',
    );
    socket.write(`${req.method} ${req.url} ${req.headers.host} ${req.headers['x-secret']} ${req.headers['x-call-id']} `);
    socket.write(head);
    socket.pipe(socket);
  });
  return listen(t, server, undefined, () => {
    for (const socket of sockets) socket.destroy();
  });
};

const until = async (socket: Socket, pattern: RegExp): Promise<string> => {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (pattern.test(text)) return text;
  }
  throw new Error(`closed before ${pattern}: ${text}`);
};

test('fact 42: a WebSocket is tied to the function, counts as in flight, and ends on both sides', async (t) => {
  const rig = await startRig(t);
  const upstreamSockets = new Set<Socket>();
  rig.ready('fn.openfaas-fn', await startEcho(t, upstreamSockets), 'echo');
  const socket = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  socket.write(handshake('/function/fn/a%2F?q=//', 'X-Secret: s\r\nX-Call-Id: abc\r\n') + 'early');
  const opened = await until(socket, /early/);
  assert.match(opened, /^HTTP\/1.1 101 /);
  assert.match(opened, /\r\nsec-websocket-accept: b\r\n/i);
  assert.match(opened, /\r\nx-served-by: sluice\/1\.2\.3\r\n/i);
  assert.match(opened, /GET \/a%2F\?q=\/\/ h s abc early$/);
  socket.write('later');
  await until(socket, /later/);
  assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 1);
  const gone = rig.gone('fn.openfaas-fn', 'echo');
  const [upstream] = upstreamSockets;
  const closed = once(upstream as Socket, 'close');
  socket.destroy();
  await closed;
  await gone;
  assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 0);
  assert.deepEqual(
    rig.finished.map(({ status }) => status),
    [101],
  );
});

test('a function that ends a WebSocket ends it for the client', async (t) => {
  const rig = await startRig(t);
  const upstreamSockets = new Set<Socket>();
  rig.ready('fn.openfaas-fn', await startEcho(t, upstreamSockets));
  const socket = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  socket.write(`${handshake('/function/fn')}greetings`);
  await until(socket, /greetings/);
  const closed = once(socket.resume(), 'close');
  for (const upstream of upstreamSockets) upstream.destroy();
  await closed;
});

test('a function that declines has its answer passed in a frame of our own', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => {
    res.writeHead(403, { 'X-Why': 'no' });
    res.write('not ');
    res.end('you');
  });
  rig.ready('fn.openfaas-fn', address);
  const client = await connectRaw(rig.port);
  onEnd(t, () => client.socket.destroy());
  client.send(handshake('/function/fn'));
  await client.end();
  const answer = await client.answer('GET');
  assert.ok(answer);
  assert.deepEqual([answer.status, answer.reason, headerOf(answer, 'x-why'), answer.body], [403, 'Forbidden', 'no', 'not you']);
  assert.deepEqual([headerOf(answer, 'transfer-encoding'), headerOf(answer, 'connection')], ['chunked', 'close']);
});

test('a WebSocket to an unknown function is 404, to one that cannot be reached 502, to a silent one 504', async (t) => {
  // The one that refuses is asked again for a while, which the limit of the other must not cut.
  const patient = await startRig(t);
  patient.ready('dead.openfaas-fn', { host: '127.0.0.1', port: 1 });
  const rig = await startRig(t, { upstreamTimeoutMs: 150 });
  rig.ready('mute.openfaas-fn', await startRawUpstream(t, () => {}));
  assert.match(await exchange(rig.port, handshake('/function/nobody'), connect), /^HTTP\/1.1 404 .*X-Error-Code: not-found/s);
  assert.match(await exchange(patient.port, handshake('/function/dead'), connect), /^HTTP\/1.1 502 .*X-Error-Code: upstream/s);
  assert.match(await exchange(rig.port, handshake('/function/mute'), connect), /^HTTP\/1.1 504 .*X-Error-Code: timeout/s);
  assert.equal(rig.table.get('mute.openfaas-fn')?.inFlight, 0);
});

test('a WebSocket to a function at zero waits for it', async (t) => {
  const rig = await startRig(t);
  const address = await startEcho(t);
  rig.report('fn.openfaas-fn', { replicas: 0 });
  rig.provider.scale = async () => rig.ready('fn.openfaas-fn', address);
  const socket = connect(rig.port, '127.0.0.1').setEncoding('latin1');
  socket.write(`${handshake('/function/fn')}greetings`);
  assert.match(await until(socket, /greetings/), /^HTTP\/1.1 101 /);
  socket.destroy();
});

test('a client that leaves during the handshake ends it for the function', async (t) => {
  const rig = await startRig(t);
  const arrived = Promise.withResolvers<Socket>();
  rig.ready('fn.openfaas-fn', await startRawUpstream(t, (socket) => socket.once('data', () => arrived.resolve(socket.resume()))));
  const socket = connect(rig.port, '127.0.0.1');
  socket.write(handshake('/function/fn'));
  const upstream = await arrived.promise;
  const closed = once(upstream, 'close');
  socket.resetAndDestroy();
  await closed;
  assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 0);
});

test('another protocol is passed on as WebSocket is, and may be declined', async (t) => {
  const rig = await startRig(t);
  const server = createServer();
  const offers: (string | undefined)[] = [];
  server.on('upgrade', (req, socket: Socket) => {
    offers.push(req.headers.upgrade);
    if (req.url === '/no') socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    else socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Echo/1\r\n\r\n');
    socket.on('error', () => {}).pipe(socket);
  });
  rig.ready('fn.openfaas-fn', await listen(t, server, undefined, () => {}));
  for (const [path, status] of [
    ['', 101],
    ['/no', 403],
  ] as const) {
    const client = await connectRaw(rig.port);
    onEnd(t, () => client.socket.destroy());
    client.send(`GET /function/fn${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: Echo/1\r\n\r\n`);
    const answer = await client.answer('GET');
    assert.equal(answer?.status, status);
    if (status === 101) {
      client.send('hello');
      await client.until('hello', client.received.indexOf('\r\n\r\n'));
      assert.equal(headerOf(answer as NonNullable<typeof answer>, 'upgrade'), 'Echo/1');
    }
    client.halfClose();
    await client.end();
  }
  assert.deepEqual(offers, ['Echo/1', 'Echo/1']);
});

test('an offer of HTTP or TLS, of several protocols or with another method is an ordinary request', async (t) => {
  const rig = await startRig(t);
  rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(`upgrade ${req.headers.upgrade}`)));
  for (const [method, offer] of [
    ['GET', 'HTTP/2.0'],
    ['GET', 'TLS/1.2'],
    ['GET', 'echo, websocket'],
    ['OPTIONS', 'websocket'],
  ]) {
    const bytes = `${method} /function/fn HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: ${offer}\r\n\r\n`;
    assert.match(await exchange(rig.port, bytes, connect), /^HTTP\/1.1 200 .*upgrade undefined/s, `${method} ${offer}`);
  }
  const text = await exchange(
    rig.port,
    'GET /function/fn HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
    connect,
  );
  assert.match(text, /^HTTP\/1.1 200 .*upgrade undefined/s);
});

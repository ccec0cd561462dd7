import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { watchStalls } from '../../../gateway/http/stalled.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';
import { listen } from '../../helpers/listen.ts';

const mebibyte = 1024 * 1024;

test('a client that takes nothing of a complete answer is cut; one that reads, or whose answer goes on, is not', async (t) => {
  const sockets = new Map<string, Socket>();
  const { server, port } = await listen(t, (req, res) => {
    sockets.set(req.url as string, req.socket);
    for (let i = 0; i < 512; i += 1) res.write(Buffer.alloc(mebibyte / 16));
    if (req.url !== '/unfinished') res.end();
  });
  const all = new Set<Socket>();
  server.on('connection', (socket: Socket) => all.add(socket));
  onEnd(t, watchStalls({ sockets: all, limitMs: 2000, checkMs: 50 }));

  const ask = (path: string): Socket => {
    const client = connect(port, '127.0.0.1').on('error', () => {});
    onEnd(t, () => client.destroy());
    client.write(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    return client;
  };
  ask('/unfinished');
  const reader = ask('/read');
  let read = 0;
  reader.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  await within(once(reader, 'end'), 'the whole answer');
  assert.ok(read > 32 * mebibyte, `${read} bytes`);

  ask('/deaf');
  const [, deaf] = [await within(once(server, 'request'), 'the request'), sockets.get('/deaf')];
  await within(once(deaf as Socket, 'close'), 'the cut');
  assert.equal(sockets.get('/unfinished')?.destroyed, false);
});

test('so is a client that takes nothing of the end of an upgraded connection', async (t) => {
  const { server, port } = await listen(t, () => {});
  const all = new Set<Socket>();
  server.on('connection', (socket: Socket) => all.add(socket));
  onEnd(t, watchStalls({ sockets: all, limitMs: 300, checkMs: 50 }));
  const upgraded = once(server, 'upgrade');
  const deaf = connect(port, '127.0.0.1').on('error', () => {});
  onEnd(t, () => deaf.destroy());
  deaf.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [, socket] = (await within(upgraded, 'the offer')) as [unknown, Socket];
  socket.end(Buffer.alloc(32 * mebibyte));
  await within(once(socket, 'close'), 'the cut');
});

// Kept connections to functions: which are used again, and which are not.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually, within } from '../../helpers/eventually.ts';
import { call, type Rig, startRawUpstream, startRig } from './rig.ts';

const key = 'fn.openfaas-fn';

type Upstream = { readonly rig: Rig; readonly sockets: Socket[]; received: string };

/** A function that answers each packet with the next of these texts, the last for ever. */
const startAnswering = async (t: TestContext, ...answers: string[]): Promise<Upstream> => {
  const rig = await startRig(t);
  const upstream: Upstream = { rig, sockets: [], received: '' };
  const address = await startRawUpstream(t, (socket) => {
    upstream.sockets.push(socket);
    socket.on('data', (bytes) => {
      upstream.received += bytes.toString('latin1');
      const next = answers.length > 1 ? answers.shift() : answers[0];
      if (next !== '') socket.write(next as string, 'latin1');
    });
  });
  rig.ready(key, address);
  return upstream;
};

const callTwice = async ({ rig }: Upstream): Promise<string[]> => [
  (await call(rig, '/function/fn')).text,
  (await call(rig, '/function/fn')).text,
];

const answer = (text: string, more = ''): string => `HTTP/1.1 200 OK\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`;

test('a connection is used again', async (t) => {
  const upstream = await startAnswering(t, answer('a'), answer('b'));
  assert.deepEqual(await callTwice(upstream), ['a', 'b']);
  assert.equal(upstream.sockets.length, 1);
});

for (const [what, first] of [
  ['whose function says that it closes it', answer('a', 'Connection: close\r\n')],
  ['whose function keeps it for a second, in which a request may be on its way', answer('a', 'Keep-Alive: timeout=1\r\n')],
  ['with bytes behind an answer', `${answer('a')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na'],
  [
    'of HTTP/1.0 whose answer has a coding, which HTTP/1.0 does not know',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  ],
] as const) {
  test(`a connection ${what} is not used again`, async (t) => {
    const upstream = await startAnswering(t, first, answer('b'));
    assert.deepEqual(await callTwice(upstream), ['a', 'b']);
    assert.equal(upstream.sockets.length, 2);
  });
}

for (const [what, framing] of [
  ['a length', 'Content-Length: 5'],
  ['chunks', 'Transfer-Encoding: chunked'],
] as const) {
  test(`a connection with a 204 that announces ${what} is not used again: a body may follow`, async (t) => {
    const upstream = await startAnswering(t, `HTTP/1.1 204 No Content\r\n${framing}\r\n\r\n`, answer('b'));
    assert.deepEqual(await callTwice(upstream), ['', 'b']);
    assert.equal(upstream.sockets.length, 2);
  });
}

test('a connection with a 204 that announces a body of nothing is used again', async (t) => {
  const upstream = await startAnswering(t, 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', answer('b'));
  assert.deepEqual(await callTwice(upstream), ['', 'b']);
  assert.equal(upstream.sockets.length, 1);
});

test('bytes that come on a connection while nobody has asked end it, and reach nobody', async (t) => {
  const upstream = await startAnswering(t, answer('a'), answer('b'));
  assert.equal((await call(upstream.rig, '/function/fn')).text, 'a');
  const [socket] = upstream.sockets;
  socket?.write(answer('evil'));
  await eventually(() => socket?.destroyed === true, { what: 'the connection to be closed' });
  assert.equal((await call(upstream.rig, '/function/fn')).text, 'b');
});

test('a connection that nobody uses is closed before its function does it', async (t) => {
  const upstream = await startAnswering(t, answer('a', 'Keep-Alive: timeout=3\r\n'));
  assert.equal((await call(upstream.rig, '/function/fn')).text, 'a');
  await eventually(() => upstream.sockets[0]?.destroyed === true, { what: 'the connection to be closed', timeoutMs: 15_000 });
});

test('the head of a request reaches its function when the body is slow to begin', async (t) => {
  const upstream = await startAnswering(t, '', answer('done'));
  const upload = request({ port: upstream.rig.port, path: '/function/fn', method: 'POST', agent: false });
  const text = new Promise<string>((resolve, reject) => {
    upload.on('error', reject);
    upload.on('response', (res) => res.setEncoding('utf8').once('data', resolve));
  });
  upload.flushHeaders();
  await eventually(() => upstream.received.endsWith('transfer-encoding: chunked\r\n\r\n'), { what: 'the head at the function' });
  upload.end('body');
  assert.equal(await within(text, 'the answer'), 'done');
});

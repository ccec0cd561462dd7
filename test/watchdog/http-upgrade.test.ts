import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { headerOf, RawClient } from '../helpers/raw-client.ts';
import { type Blank, startBlank } from './blank-process.ts';

/** Sends back what comes, and says when it is told to end. */
const server = `
const server = require('node:http').createServer((request, response) => response.end());
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n');
  socket.pipe(socket);
});
process.on('SIGTERM', () => { console.log('told'); process.exit(); });
server.listen(process.env.SLUICE_UPSTREAM_SOCKET);
`;

test('an open socket counts as in flight, and SIGTERM waits for it before the server is told', async (t) => {
  const blank = await startBlank(t, { 'server.js': server });
  const environment = { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir, max_inflight: '1' };
  assert.equal((await blank.specialize({ mode: 'http', handler: undefined, environment })).status, 200);
  const socket = connect(blank.socketPath).setEncoding('utf8');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  assert.match((await once(socket, 'data'))[0], /^HTTP\/1\.1 101 /);
  const metrics = await blank.call('/_/metrics', { headers: { authorization: 'Bearer a-token' } });
  assert.match(metrics.body, /^http_requests_in_flight 1$/m);
  assert.equal((await blank.call('/')).status, 429);
  blank.child.kill('SIGTERM');
  await eventually(async () => (await blank.call('/_/health').catch(() => undefined)) === undefined, { what: 'nobody listens' });
  socket.write('still here');
  assert.equal((await once(socket, 'data'))[0], 'still here');
  assert.equal(blank.output().stdout, '');
  socket.end();
  await blank.printed('stdout', /told/);
  assert.equal((await blank.exited).code, 0);
});

/** Answers each offer as its path says, and tells when the offer's connection has ended. */
const odd = `
const server = require('node:http').createServer((request, response) => response.end());
const answers = {
  '/length': 'HTTP/1.1 403 Forbidden\\r\\nContent-Length: 10\\r\\n\\r\\nhalf',
  '/chunks': 'HTTP/1.1 403 Forbidden\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n4\\r\\nhalf\\r\\n',
  '/whole': 'HTTP/1.1 426 Upgrade Required\\r\\nUpgrade: x\\r\\nX-A: \u00e4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n2\\r\\nno\\r\\n0\\r\\n\\r\\n',
  '/bye': 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\nbye',
};
server.on('upgrade', (request, socket) => {
  const path = request.url;
  socket.on('error', () => {});
  socket.on('end', () => console.log('ended ' + path));
  if (path === '/bye') {
    socket.end(answers[path], 'latin1');
    socket.on('data', (words) => console.log('heard ' + words));
    return;
  }
  socket.resume();
  if (path in answers) socket.write(answers[path], 'latin1');
  if (request.headers.then === 'cut') socket.end();
});
server.listen(process.env.SLUICE_UPSTREAM_SOCKET);
`;

const startOdd = async (t: TestContext, more: Record<string, string> = {}): Promise<Blank> => {
  const blank = await startBlank(t, { 'server.js': odd });
  const environment = { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir, ...more };
  assert.equal((await blank.specialize({ mode: 'http', handler: undefined, environment })).status, 200);
  return blank;
};

const offer = async (t: TestContext, blank: Blank, path: string, ...more: readonly string[]): Promise<RawClient> => {
  const socket = connect({ path: blank.socketPath, allowHalfOpen: true });
  onEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  const client = new RawClient(socket);
  client.send([`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', 'Upgrade: x', ...more, '\r\n'].join('\r\n'));
  return client;
};

test('an answer that declines says where it ends: one that breaks off does not look complete', async (t) => {
  const blank = await startOdd(t);
  const whole = await (await offer(t, blank, '/whole')).answer('GET');
  assert.ok(whole);
  assert.deepEqual(
    [whole.status, headerOf(whole, 'upgrade'), headerOf(whole, 'connection'), headerOf(whole, 'x-a'), whole.body],
    [426, 'x', 'close, Upgrade', '\u00e4', 'no'],
  );
  for (const path of ['/length', '/chunks']) {
    const client = await offer(t, blank, path, 'Then: cut');
    await client.end();
    assert.match(client.received, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*half/);
    assert.equal(await client.answer('GET'), undefined);
  }
});

test('an answer that declines has to end within exec_timeout', async (t) => {
  const blank = await startOdd(t, { exec_timeout: '300ms' });
  for (const path of ['/length', '/chunks']) {
    const client = await offer(t, blank, path);
    await client.end();
    assert.match(client.received, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*half/);
  }
});

test('the end of a client that waits for an answer is that of its offer', async (t) => {
  const blank = await startOdd(t);
  const client = await offer(t, blank, '/never');
  client.halfClose();
  await client.end();
  await blank.printed('stdout', /ended \/never/);
});

test('a server that has ended hears the last words of its client', async (t) => {
  const blank = await startOdd(t);
  const client = await offer(t, blank, '/bye');
  await client.end();
  assert.match(client.received, /bye$/);
  client.send('adieu');
  await blank.printed('stdout', /heard adieu/);
  client.halfClose();
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import { call } from '../../helpers/call.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { authorization, startApp } from '../app-under-test.ts';

const makeTar = async (text: string): Promise<{ bytes: Buffer; digest: string; path: string }> => {
  const archive = pack();
  archive.entry({ name: 'sluice.json' }, text);
  archive.finalize();
  const bytes = await buffer(archive);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { bytes, digest, path: `/system/bundles/${digest}` };
};

test('a bundle that was put is there, and putting it again is fine', async (t) => {
  const app = await startApp(t);
  const { bytes, path } = await makeTar('{}');
  const put = () => call(app.url, { method: 'PUT', path, headers: { Authorization: authorization }, body: bytes });
  assert.equal((await app.ask('HEAD', path)).status, 404);
  assert.equal((await put()).status, 201);
  assert.equal((await app.ask('HEAD', path)).status, 200);
  assert.equal((await put()).status, 201);
});

test('bytes with another digest are 400 and leave nothing', async (t) => {
  const app = await startApp(t);
  const { path } = await makeTar('{}');
  const answer = await app.ask('PUT', path, 'other bytes');
  assert.equal(answer.status, 400);
  assert.match(answer.text, /^digest: expected /);
  assert.equal((await app.ask('HEAD', path)).status, 404);
});

test('a name that is no digest is 400', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('PUT', '/system/bundles/latest', 'x')).status, 400);
  assert.equal((await app.ask('HEAD', '/system/bundles/latest')).status, 400);
});

test('a provider without bundles answers 501', async (t) => {
  const app = await startApp(t, { bundles: false });
  const { path } = await makeTar('{}');
  assert.equal((await app.ask('HEAD', path)).status, 501);
  assert.equal((await app.ask('PUT', path, 'x')).status, 501);
});

const rawPut = (url: string, path: string, headers: string) => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  return socket;
};

test('a declared length over the limit is refused before a byte of it is sent', async (t) => {
  const app = await startApp(t);
  const { path } = await makeTar('{}');
  const socket = rawPut(app.url, path, `Authorization: ${authorization}\r\nContent-Length: 99999999\r\n`);
  onEnd(t, () => socket.destroy());
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 413 /);
  assert.equal(app.provider.count('bundles.put'), 0);
});

test('an upload without credentials is refused before a byte of it is sent', async (t) => {
  const app = await startApp(t);
  const { path } = await makeTar('{}');
  const socket = rawPut(app.url, path, 'Content-Length: 1000\r\n');
  onEnd(t, () => socket.destroy());
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 401 /);
});

test('a client that is still sending a bundle that is too large gets to read why it was refused', async (t) => {
  const app = await startApp(t, { maxBundleBytes: 1024 }, { maxBundleBytes: 64 * 1024 * 1024 });
  const { path } = await makeTar('{}');
  const body = Buffer.alloc(8 * 1024 * 1024);
  const answer = await call(app.url, { method: 'PUT', path, headers: { Authorization: authorization }, body });
  assert.equal(answer.status, 413);
});

test('a client that never stops sending after a refusal is cut off', async (t) => {
  const app = await startApp(t);
  const { path } = await makeTar('{}');
  const socket = rawPut(app.url, path, 'Content-Length: 999999999\r\n');
  onEnd(t, () => socket.destroy());
  const chunk = Buffer.alloc(1024 * 1024);
  const send = (): void => {
    socket.write(chunk, (error) => error ?? send());
  };
  send();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.ok(socket.bytesWritten > chunk.length);
});

test('an upload that breaks off leaves nothing and is logged as aborted', async (t) => {
  const app = await startApp(t);
  const { path, bytes } = await makeTar('{}');
  const socket = rawPut(app.url, path, `Authorization: ${authorization}\r\nContent-Length: ${bytes.length}\r\n`);
  socket.write(bytes.subarray(0, 100));
  await t.waitFor(() => assert.equal(app.provider.count('bundles.put'), 1));
  socket.destroy();
  await t.waitFor(() => assert.ok(app.lines.some((line) => 'aborted' in line)));
  assert.equal((await app.ask('HEAD', path)).status, 404);
});

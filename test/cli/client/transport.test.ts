import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Outgoing, send } from '../../../cli/client/transport.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { listen, listenTcp } from '../../helpers/listen.ts';
import { runCli, startGateway } from '../run-cli.ts';

const request = (more: Partial<Outgoing> & { readonly url: string }): Outgoing => ({
  method: 'GET',
  headers: {},
  timeoutMs: 5000,
  signal: new AbortController().signal,
  tlsNoVerify: false,
  env: {},
  ...more,
});

test('no answer in time is a timeout that says how long was waited', async (t) => {
  const { url } = await listen(t, () => undefined);
  await assert.rejects(send(request({ url, timeoutMs: 30 })), {
    code: 'timeout',
    message: `no answer from ${url} within 0.03 s`,
  });
});

test('what speaks another protocol than the address says is told so', async (t) => {
  const { url } = await listen(t, () => undefined);
  await assert.rejects(send(request({ url: url.replace('http:', 'https:') })), {
    code: 'unavailable',
    message: `cannot reach ${url.replace('http:', 'https:')}: it does not speak TLS; try http:// instead of https://`,
  });
  const { port } = await listenTcp(t, (socket) => void socket.on('error', () => undefined).write('SSH-2.0-OpenSSH\r\n'));
  await assert.rejects(send(request({ url: `http://127.0.0.1:${port}` })), {
    code: 'unavailable',
    message: /it does not speak HTTP; is it a function gateway, and without https:\/\/\?$/,
  });
});

test('a body may come long after the head', async (t) => {
  const { url } = await listen(t, (_request, response) => {
    response.flushHeaders();
    setTimeout(() => response.end('late'), 60);
  });
  assert.equal(await text(await send(request({ url, timeoutMs: 30 }))), 'late');
});

test('another machine is reached through the proxy of the environment, this one is not', async (t) => {
  const { url } = await listen(t, (incoming, response) => response.end(incoming.url));
  const env = { http_proxy: url };
  assert.equal(await text(await send(request({ url: 'http://gateway.invalid/x', env }))), 'http://gateway.invalid/x');
  assert.equal(await text(await send(request({ url: `${url}/y`, env: { http_proxy: 'http://127.0.0.1:1' } }))), '/y');
});

test('an abort ends the request with an AbortError', async (t) => {
  const { url } = await listen(t, () => undefined);
  const stop = new AbortController();
  const sent = send(request({ url, signal: stop.signal }));
  stop.abort();
  await assert.rejects(sent, { name: 'AbortError' });
});

test('many calls share one signal without a warning', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  onEnd(t, () => process.off('warning', onWarning));
  const { url } = await listen(t, (_request, response) => response.end());
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 40 }, async () => text(await send(request({ url, signal })))));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test('a gateway that refuses credentials is not taken for one that runs images', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 401 }));
  const { code, stderr } = await runCli(t, ['deploy', '--image', 'a', '--name', 'b', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /the gateway refused the credentials/);
});

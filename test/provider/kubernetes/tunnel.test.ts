// Calls that go through the API server: bytes both ways, no faster than they are read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { openTunnel, type Tunnel } from '../../../provider/kubernetes/tunnel.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { type Forwarded, startPortForward } from './port-forward.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const port = Buffer.from([0x90, 0x1f]);
const mebibyte = 1024 * 1024;

type Scene = {
  readonly tunnel: Tunnel;
  readonly caller: Socket;
  readonly pod: Forwarded;
};

/** `once` would take the error before it for a failure. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

const dial = async (t: TestContext, tunnel: Tunnel): Promise<Socket> => {
  const caller = connect(await within(tunnel.port, 'the port'), '127.0.0.1');
  caller.on('error', () => undefined);
  onEnd(t, () => caller.destroy());
  return caller;
};

/** A tunnel, a caller at its near end, and the pod's end of the connection. */
const setUp = async (t: TestContext): Promise<Scene> => {
  const waiting: ((pod: Forwarded) => void)[] = [];
  const url = await startPortForward(t, (pod) => waiting.shift()?.(pod));
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u', token: 'secret' });
  const pod = { metadata: { name: 'fn-1', namespace: 'dev' } };
  const tunnel = openTunnel({ config, pod, targetPort: 8080, log: quiet });
  onEnd(t, () => tunnel.close());
  const forwarded = new Promise<Forwarded>((resolve) => waiting.push(resolve));
  const caller = await dial(t, tunnel);
  return { tunnel, caller, pod: await within(forwarded, 'the connection to the pod') };
};

/** Resolves with the value once it has stayed the same for a while. */
const settled = async (read: () => number, what: string): Promise<number> => {
  let last = -1;
  await eventually(
    () => {
      const same = read() === last && last > 0;
      last = read();
      return same;
    },
    { what, intervalMs: 400, timeoutMs: 20_000 },
  );
  return last;
};

test('bytes reach the pod and come back, without the names of the ports', async (t) => {
  const { caller, pod } = await setUp(t);
  assert.equal(pod.path, '/api/v1/namespaces/dev/pods/fn-1/portforward?ports=8080');
  pod.send(0, port);
  pod.send(1, port);
  caller.write('ping');
  const [asked] = await within(once(pod.received, 'data'), 'the request');
  assert.equal(String(asked), 'ping');
  pod.send(0, Buffer.from('pong'));
  const [answer] = await within(once(caller, 'data'), 'the answer');
  assert.equal(String(answer), 'pong');
});

test('an answer that the caller does not read is not read from the API server either', async (t) => {
  const { caller, pod } = await setUp(t);
  const total = 64 * mebibyte;
  let sent = 0;
  const send = (): void => {
    while (sent < total) {
      sent += mebibyte;
      if (!pod.send(0, Buffer.alloc(mebibyte, sent / mebibyte))) return;
    }
  };
  pod.socket.on('drain', send);
  pod.send(0, port);
  caller.pause();
  send();
  const held = await settled(() => sent, 'the pod stops sending');
  assert.ok(held < total / 2, `${held} bytes were taken that nobody reads`);
  let got = 0;
  let wrong = 0;
  caller.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 4096) {
      if (chunk[at] !== Math.floor((got + at) / mebibyte) + 1) wrong += 1;
    }
    got += chunk.length;
  });
  caller.resume();
  await eventually(() => got === total, { what: 'the whole answer', timeoutMs: 30_000 });
  assert.equal(wrong, 0);
});

test('a body that the API server does not take is not read from the caller either', async (t) => {
  const { caller, pod } = await setUp(t);
  const total = 48 * mebibyte;
  pod.socket.pause();
  let sent = 0;
  const send = (): void => {
    while (sent < total) {
      sent += mebibyte;
      if (!caller.write(Buffer.alloc(mebibyte, 7))) return;
    }
  };
  caller.on('drain', send);
  send();
  const held = await settled(() => sent, 'the caller stops sending');
  assert.ok(held < total / 2, `${held} bytes were taken that nobody reads`);
  let got = 0;
  pod.received.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  await eventually(() => got === total, { what: 'the whole body', timeoutMs: 30_000 });
});

test('a pod that refuses the connection ends it for the caller', async (t) => {
  const { caller, pod } = await setUp(t);
  pod.send(0, port);
  pod.send(1, Buffer.concat([port, Buffer.from('connection refused')]));
  await within(closed(caller), 'the end of the connection');
});

test('a caller that leaves is gone for the pod, and an API server that leaves is gone for the caller', async (t) => {
  const first = await setUp(t);
  first.pod.received.resume();
  first.caller.destroy();
  await within(closed(first.pod.socket), 'the end at the pod');
  const second = await setUp(t);
  second.caller.resume();
  second.pod.send(0, port);
  second.pod.send(0, Buffer.from('last words'));
  second.pod.socket.destroySoon();
  await within(closed(second.caller), 'the end at the caller');
});

test('a closed tunnel takes no new connection and keeps those that it has', async (t) => {
  const { tunnel, caller, pod } = await setUp(t);
  tunnel.close();
  const late = await dial(t, tunnel);
  await within(closed(late), 'the refusal');
  pod.send(0, Buffer.concat([port, Buffer.from('still here')]));
  const [answer] = await within(once(caller, 'data'), 'the answer');
  assert.equal(String(answer), 'still here');
});

test('a tunnel to an API server that is not there ends its connections', async (t) => {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: true }, { name: 'u' });
  const tunnel = openTunnel({ config, pod: { metadata: { name: 'fn-1', namespace: 'dev' } }, targetPort: 8080, log: quiet });
  onEnd(t, () => tunnel.close());
  const caller = await dial(t, tunnel);
  await within(closed(caller), 'the end of the connection');
});

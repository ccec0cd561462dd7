import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { makeOpenBundle } from '../../bench/inside.ts';
import { takeSnapshot } from '../../bench/snapshot.ts';
import { onEnd } from '../helpers/cleanup.ts';

// In a function of its own, as a variable that is not used any more may still be held.
const holdTimers = (count: number, meanwhile: () => void): void => {
  const timers = Array.from({ length: count }, () => setTimeout(() => undefined, 60_000).unref());
  meanwhile();
  for (const timer of timers) clearTimeout(timer);
};

test('a snapshot counts timers that nothing waits for, and sockets', async (t) => {
  const before = takeSnapshot();
  holdTimers(3, () => assert.equal(takeSnapshot().timers, before.timers + 3));
  assert.equal(takeSnapshot().timers, before.timers);

  const server = createServer().listen(0, '127.0.0.1');
  onEnd(t, () => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [[other]] = await Promise.all([accepted, once(socket, 'connect')]);
  assert.equal(takeSnapshot().sockets, before.sockets + 2);
  other.destroy();
  socket.destroy();
});

test('a function that tells what its watchdog holds has no types in its files', async () => {
  const { bytes } = await makeOpenBundle('open');
  assert.ok(bytes.includes('takeSnapshot'));
  assert.ok(!bytes.includes('export type'));
});

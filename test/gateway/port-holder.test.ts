import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { findPortHolder, listenerInodes } from '../../gateway/port-holder.ts';
import { onEnd } from '../helpers/cleanup.ts';

test('only listeners of the port are picked from the table', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
    '   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0',
    '   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0',
  ].join('\n');
  assert.deepEqual(listenerInodes(table, 8080), ['111']);
});

test('the process that listens on a port is named', { skip: process.platform !== 'linux' && 'needs /proc' }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  onEnd(t, () => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.match(await findPortHolder(address.port), new RegExp(`^process ${process.pid} \\(`));
});

// A timer of Node.js counts no further than 24 days, and one that is set for longer goes off at once.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { call, exchange, startRig, startUpstream } from './rig.ts';

const century = { 'sluice.dev/timeout': '876000h', 'sluice.dev/idle-timeout': '876000h', 'sluice.dev/max-queue-wait': '876000h' };

test('limits of a hundred years cut no call, no call in line and no WebSocket handshake', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { annotations: { ...century, 'sluice.dev/max-inflight': '1' } });
  rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => setTimeout(() => res.writeHead(200).end('late'), 50)));
  const answers = await Promise.all([call(rig, '/function/fn'), call(rig, '/function/fn')]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  const handshake =
    'GET /function/fn HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n';
  assert.match(await exchange(rig.port, handshake, connect), /^HTTP\/1\.1 200 /);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../helpers/eventually.ts';
import { startBlank } from './blank-process.ts';

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

// Mode http: kept connections to the function's server that end under a call.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { startBlank } from './blank-process.ts';

const started = async (t: TestContext, source: string, environment: Record<string, string> = {}) => {
  const blank = await startBlank(t, { 'server.js': source });
  const answer = await blank.specialize({
    mode: 'http',
    handler: undefined,
    environment: { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir, ...environment },
  });
  assert.equal(answer.status, 200, answer.body);
  return blank;
};

/** Counts calls of /die, which it reads and does not answer. */
const dyingSource = (how: string, where: string): string => `let seen = 0;
require("node:http").createServer({ keepAliveTimeout: 60000 }, (q, s) => {
  if (q.url !== "/die") return s.end(String(seen));
  seen += 1;
  q.socket.${how}();
}).listen(${where})`;

const ends = [
  { name: 'closed on a unix socket', how: 'destroy', where: 'process.env.SLUICE_UPSTREAM_SOCKET', environment: {} },
  ...['destroy', 'resetAndDestroy'].map((how) => ({
    name: `${how === 'destroy' ? 'closed' : 'reset'} on a port`,
    how,
    where: 'Number(process.env.PORT), "127.0.0.1"',
    environment: { upstream_url: 'http://127.0.0.1:0' },
  })),
];

for (const { name, how, where, environment } of ends) {
  test(`a call that the server has read is never sent to it again: ${name}`, async (t) => {
    const blank = await started(t, dyingSource(how, where), environment);
    for (const [at, method] of ['GET', 'POST', 'DELETE'].entries()) {
      // Leaves a connection to the server that the next call takes.
      await blank.call('/');
      assert.equal((await blank.call('/die', { method })).status, 500, method);
      assert.equal((await blank.call('/')).body, String(at + 1), method);
    }
  });
}

test('a call that the server closed its kept connection on unread goes over another one', async (t) => {
  // Sleeps after its first answer, and closes without a look at what has come meanwhile.
  const source = `let first = true;
require("node:net").createServer((socket) => socket.on("error", () => {}).once("data", () => {
  socket.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok");
  if (!first) return;
  first = false;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  socket.destroy();
})).listen(process.env.SLUICE_UPSTREAM_SOCKET)`;
  const blank = await started(t, source);
  assert.equal((await blank.call('/')).body, 'ok');
  assert.equal((await blank.call('/')).body, 'ok');
});

test('a call that the kernel takes nothing of, as the server has closed its kept connection, goes over another one', async (t) => {
  const source = `const fs = require("node:fs");
const sockets = new Set();
require("node:http").createServer({ keepAliveTimeout: 60000 }, (q, s) => s.end("ok")).on("connection", (socket) => sockets.add(socket))
  .listen(process.env.SLUICE_UPSTREAM_SOCKET);
setInterval(() => {
  if (!fs.existsSync("close") || fs.existsSync("closed")) return;
  for (const socket of sockets) socket.destroy();
  setImmediate(() => fs.writeFileSync("closed", ""));
}, 5)`;
  const blank = await started(t, source);
  const client = connect(blank.socketPath).setEncoding('latin1');
  onEnd(t, () => client.destroy());
  onEnd(t, () => void blank.child.kill('SIGCONT'));
  const ask = async (meanwhile: () => Promise<void>): Promise<string> => {
    const answer = once(client, 'data');
    client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await meanwhile();
    return (await within(answer, 'an answer'))[0];
  };
  assert.match(await ask(async () => {}), /^HTTP\/1\.1 200 /);
  // The call is there before the end of the connection, and the watchdog hears of both at once.
  blank.child.kill('SIGSTOP');
  const answer = await ask(async () => {
    writeFileSync(join(blank.dir, 'close'), '');
    await eventually(() => existsSync(join(blank.dir, 'closed')), { what: 'the connection to be closed' });
    blank.child.kill('SIGCONT');
  });
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

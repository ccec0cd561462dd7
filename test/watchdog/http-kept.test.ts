// Mode http: kept connections to the function's server that end under a call.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
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

test('no call is lost to a server that closes every connection with its answer, and does not say so', async (t) => {
  const source = `require("node:net").createServer((socket) => socket.on("error", () => {}).once("data", () => {
  socket.write("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok");
  socket.destroy();
})).listen(process.env.SLUICE_UPSTREAM_SOCKET)`;
  const blank = await started(t, source);
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(Array.from({ length: 16 }, () => blank.call('/')));
    assert.deepEqual(new Set(answers.map(({ status, body }) => `${status} ${body}`)), new Set(['200 ok']));
  }
});

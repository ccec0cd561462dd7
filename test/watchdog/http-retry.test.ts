// Calls on connections to the function's server that were kept after another call.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Blank, startBlank } from './blank-process.ts';

/** A server of raw connections, which says on its output what it has read. */
const serving = (answer: string): string => `
const ok = (text) => 'HTTP/1.1 200 OK\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text;
let connections = 0;
require('node:net').createServer((socket) => {
  connections += 1;
  const number = connections;
  socket.on('error', () => {});
  let requests = 0;
  socket.on('data', (bytes) => {
    requests += 1;
    console.log('read ' + String(bytes).split(' ')[1]);
    ${answer}
  });
}).listen(process.env.SLUICE_UPSTREAM_SOCKET);
`;

const start = async (t: TestContext, answer: string): Promise<Blank> => {
  const blank = await startBlank(t, { 'server.js': serving(answer) });
  const environment = { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir };
  assert.equal((await blank.specialize({ mode: 'http', handler: undefined, environment })).status, 200);
  return blank;
};

test('a call that the server has read and dropped is not sent again', async (t) => {
  const blank = await start(t, `if (String(bytes).includes('/drop')) socket.destroy(); else socket.write(ok('kept'));`);
  assert.equal((await blank.call('/')).body, 'kept');
  const dropped = await blank.call('/drop');
  assert.equal(dropped.status, 500);
  assert.match(dropped.body, /did not answer: socket hang up/);
  assert.equal((await blank.call('/after')).body, 'kept');
  await blank.printed('stdout', /read \/after/);
  assert.equal(blank.output().stdout.match(/read \/drop/g)?.length, 1);
});

test('a call that waits unread on a connection which the server closes is sent on another', async (t) => {
  const blank = await start(
    t,
    `socket.write(ok('connection ' + number));
    if (number === 2) {
      // Reads nothing meanwhile.
      for (const end = Date.now() + 300; Date.now() < end; );
      socket.destroy();
    }`,
  );
  // The first is the watchdog's own, which looks whether anybody listens.
  assert.equal((await blank.call('/a')).body, 'connection 2');
  assert.equal((await blank.call('/b')).body, 'connection 3');
});

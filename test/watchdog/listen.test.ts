import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { listenOn } from '../../watchdog/listen.ts';
import { call } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

const run = promisify(execFile);

test('a server listens on a socket, and says when it cannot', async (t) => {
  const dir = await makeTmpDir(t);
  const server = createServer((_request, response) => void response.end('here'));
  listenOn(server, join(dir, 's'));
  await once(server, 'listening');
  onEnd(t, () => server.close());
  assert.equal((await call({ socketPath: join(dir, 's') })).text, 'here');

  const late = createServer();
  listenOn(late, join(dir, 's'));
  const [error] = await once(late, 'error');
  assert.equal(error.code, 'EADDRINUSE');
});

test('listening does not load node:cluster, which would cost every watchdog 2 ms of its boot', async (t) => {
  const { href } = new URL('../../watchdog/listen.ts', import.meta.url);
  const program = `
    import { createServer } from 'node:net';
    import { listenOn } from ${JSON.stringify(href)};
    const server = createServer().once('listening', () => {
      console.log(process.moduleLoadList.filter((name) => name.includes('cluster')).join());
      server.close();
    });
    listenOn(server, ${JSON.stringify(join(await makeTmpDir(t), 's'))});`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(stdout, '\n');
});

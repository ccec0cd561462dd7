// The gateway's log goes where somebody has pointed standard error. What is wrong there is no concern of callers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { within } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway.ts';

test('with every line lost to a full disk the gateway answers calls, and ends when asked to', async (t) => {
  const gateway = await startGateway(t, {
    args: ['--access-log', 'all', '--log-format', 'json'],
    under: ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh'],
  });
  await gateway.deployHandler('fn', "export default () => new Response('hello');");
  for (let i = 0; i < 20; i += 1) assert.equal((await gateway.call('fn')).text, 'hello');
  assert.equal((await gateway.call('nobody')).status, 404);
  const program = gateway.program();
  program.kill('SIGTERM');
  assert.deepEqual(await within(program.exited, 'the end of the gateway'), { code: 0, signal: null });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from './gateway.ts';
import { startLoad, versionSpans } from './load.ts';

const versioned = (version: string): string =>
  `export const handler = async (request) => new Response('${version}\\n' + await request.text());`;

test('a function is updated under load without a failed call, and old answers end soon after the first new one', async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', versioned('v1'));
  const load = await startLoad(t, { target: { host: '127.0.0.1', port: gateway.port }, path: '/function/fn', ratePerS: 100 });
  await gateway.deployHandler('fn', versioned('v2'));
  let answer = await gateway.call('fn');
  while (!answer.text.startsWith('v2')) answer = await gateway.call('fn');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const result = await load.stop();
  assert.deepEqual(result.failures, []);
  const [first, second] = versionSpans(result.answers);
  assert.deepEqual([first?.version, second?.version], ['v1', 'v2']);
  // No old answer to a call that began after the first new answer came.
  assert.ok((first?.lastSentMs ?? 0) <= (second?.firstAnsweredMs ?? 0));
});

test('a gateway that is killed comes back on its ports with its functions', async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', versioned('v1'));
  const before = gateway.program().pid;
  await gateway.kill('SIGKILL');
  await gateway.restart();
  assert.notEqual(gateway.program().pid, before);
  assert.equal((await gateway.call('fn', { method: 'POST', body: 'x' })).text, 'v1\nx');
});

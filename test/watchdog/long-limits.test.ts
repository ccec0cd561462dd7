import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StartLimit } from '../../provider/process/start-limit.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { startBlank } from './blank-process.ts';

/** More than the 24.8 days that a timer of Node.js can hold. */
const environment = { exec_timeout: '1000h', ready_timeout: '1000h', handler_style: 'web' };

const handler = `
await new Promise((resolve) => setTimeout(resolve, 50));
export default async (request) => {
  console.log('called');
  await new Promise((resolve) => setTimeout(resolve, 500));
  return new Response('done');
};`;

test('a limit that no timer can hold is none for the start, for a call, and for the wait for calls at the end', async (t) => {
  const blank = await startBlank(t, { 'handler.mjs': handler });
  assert.equal((await blank.specialize({ mode: 'inproc', handler: 'handler.mjs', environment })).status, 200);
  const running = blank.call('/');
  await blank.printed('stdout', /called/);
  blank.child.kill('SIGTERM');
  assert.deepEqual([(await running).status, (await running).body], [200, 'done']);
  assert.equal((await blank.exited).code, 0);
});

test('a server of its own may take as long to listen', async (t) => {
  const server = `setTimeout(() => {
    require('node:http').createServer((request, response) => response.end('late')).listen(process.env.SLUICE_UPSTREAM_SOCKET);
  }, 50);`;
  const blank = await startBlank(t, { 'server.js': server });
  const more = { ...environment, fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir };
  assert.equal((await blank.specialize({ mode: 'http', handler: undefined, environment: more })).status, 200);
  assert.equal((await blank.call('/')).body, 'late');
});

test('nor does the provider give such a start up', async (t) => {
  let expired = 0;
  const limit = new StartLimit(60_000, () => (expired += 1));
  onEnd(t, () => limit.clear());
  limit.begin(1000 * 3_600_000);
  // A timer that is too long fires after 1 ms.
  await delay(50);
  assert.deepEqual([expired, limit.expired], [0, false]);
});

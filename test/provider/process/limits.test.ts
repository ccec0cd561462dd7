// Memory limits, by whatever means this machine and account have, and by the watch that works everywhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createOrphanKiller } from '../../../provider/process/limits/orphans.ts';
import { createWatch } from '../../../provider/process/limits/watch.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { evaluator, setUp } from './support/functions.ts';

const eater = `
const kept = [];
export const handler = () => {
  setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 5);
  return new Response('eating');
};
`;

const heapEater = `
const kept = [];
export const handler = () => {
  setInterval(() => { for (let i = 0; i < 20000; i += 1) kept.push({ at: [i, String(Math.random())] }); }, 1);
  return new Response('eating');
};
`;

for (const [what, source] of [
  ['outside its heap', eater],
  ['in its heap', heapEater],
] as const) {
  test(`a function that eats memory ${what} is ended and shown as OOMKilled, and others go on`, async (t) => {
    const { provider, watcher, run } = await setUp(t);
    const other = await run('other', evaluator);
    const ref = await run('fn', source, { limits: { memory: '96Mi' } });
    await watcher.call(ref);
    const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
    assert.equal(failure.reason, 'OOMKilled');
    assert.match(failure.message, /96Mi/);
    assert.ok((failure.retryAtMs ?? 0) > 0);
    const conditions = (await provider.get(ref))?.conditions;
    assert.deepEqual(
      conditions?.map((condition) => [condition.type, condition.status, condition.reason]),
      [
        ['Ready', 'False', 'OOMKilled'],
        ['Healthy', 'False', 'OOMKilled'],
      ],
    );
    assert.equal((await watcher.call(other, { method: 'POST', body: '1' })).status, 200);
  });
}

test('the watch ends a process over its limit with all that it started', async (t) => {
  const limits = createWatch({ orphans: createOrphanKiller(), because: 'a test' });
  onEnd(t, () => limits.close());
  const grow = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(4 << 20, 1)), 5)';
  const program = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grow)}]).on('exit', () => {}); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  onEnd(t, () => child.kill('SIGKILL'));
  const confinement = limits.confine({ pid: child.pid ?? 0, marker: 'test-none' });
  await confinement.limit({ memoryBytes: 200 * 2 ** 20 });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
  assert.equal(await confinement.ranOutOfMemory(), true);
  await confinement.release();
});

test('usage counts the memory and the CPU of a busy function', async (t) => {
  const { provider, watcher, run } = await setUp(t);
  const busy =
    'const kept = Buffer.alloc(20 * 2 ** 20, 1); export const handler = () => { const end = Date.now() + 600; while (Date.now() < end); return new Response(kept.subarray(0, 2)); };';
  const ref = await run('fn', busy);
  await watcher.call(ref);
  const usage = (await provider.get(ref, { usage: true }))?.usage;
  assert.ok((usage?.totalMemoryBytes ?? 0) > 10 * 2 ** 20, JSON.stringify(usage));
  assert.ok((usage?.cpu ?? 0) > 100, JSON.stringify(usage));
});

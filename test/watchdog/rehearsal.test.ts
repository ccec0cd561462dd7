import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { rehearse } from '../../watchdog/rehearsal.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

const run = promisify(execFile);

test('a rehearsal leaves no socket, and what the function will find is as Node.js has it', async (t) => {
  const dir = await makeTmpDir(t);
  const before = [globalThis.Response, globalThis.Request, globalThis.fetch];
  let steps = 0;
  await rehearse(join(dir, 'r'), () => {
    steps += 1;
    return true;
  });
  assert.equal(steps, 4, 'both styles of handlers were played');
  assert.deepEqual(readdirSync(dir), []);
  assert.deepEqual([globalThis.Response, globalThis.Request, globalThis.fetch], before);
});

test('a rehearsal stops where a function has come, and does not mind when it cannot listen', async (t) => {
  const dir = await makeTmpDir(t);
  let steps = 0;
  await rehearse(join(dir, 'r'), () => {
    steps += 1;
    return steps < 3;
  });
  assert.equal(steps, 3);
  assert.deepEqual(readdirSync(dir), []);
  await rehearse(join(dir, 'nowhere', 'r'), () => true);
});

test('a rehearsal does not load undici, which would cost every blank watchdog 13 MB', async (t) => {
  const dir = await makeTmpDir(t);
  const { href } = new URL('../../watchdog/rehearsal.ts', import.meta.url);
  const program = `
    import { rehearse } from ${JSON.stringify(href)};
    let steps = 0;
    await rehearse(${JSON.stringify(join(dir, 'r'))}, () => (steps += 1) > 0);
    console.log(steps, process.moduleLoadList.filter((name) => name.includes('undici')).join());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(stdout, '4 \n');
});

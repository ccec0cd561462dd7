// The process that starts functions for the gateway.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSpawner } from '../../../provider/process/spawner/spawner.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';
import { quiet } from './support/make-provider.ts';

test('closing does not wait for a process that nobody ended', async (t) => {
  const runDir = await mkdtemp(join(tmpdir(), 'sls-'));
  onEnd(t, () => rm(runDir, { recursive: true, force: true, maxRetries: 5 }));
  const spawner = await createSpawner({ nodePath: process.execPath, runDir, environment: {}, log: quiet });
  const { pid, exited } = await spawner.start({
    id: '0123456789abcdef',
    file: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    cwd: runDir,
    env: {},
  });
  onEnd(t, () => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself.
    }
  });
  await within(spawner.close(), 'closing', 10_000);
  await within(exited, 'word of its end, which nobody tells any more', 10_000);
  assert.equal(process.kill(pid, 0), true);
});

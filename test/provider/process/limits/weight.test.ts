// Starts wait behind calls where the processor is busy; only control groups can do that.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findLayouts } from '../../../../provider/process/limits/cgroup-layout.ts';
import { detectLimits } from '../../../../provider/process/limits/detect.ts';
import { createOrphanKiller } from '../../../../provider/process/limits/orphans.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { eventually } from '../../../helpers/eventually.ts';

/** The weight of the group that a process is in, where any hierarchy has one: 1024 or 100 is what everybody has. */
const weightOf = async (pid: number): Promise<number> => {
  const layouts = findLayouts(await readFile(`/proc/${pid}/cgroup`, 'utf8'), await readFile('/proc/self/mountinfo', 'utf8'));
  const files = layouts.map((layout) =>
    layout.version === 1 ? join(layout.cpu ?? '', 'cpu.shares') : join(layout.base, 'cpu.weight'),
  );
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return Number(text);
  }
  throw new Error(`process ${pid} has no weight in ${files.join(', ')}`);
};

test('a replica that starts, and what starts it, wait behind others for the processor, until it has started', async (t) => {
  const limits = await detectLimits({ name: `sluice-weight-${process.pid}`, orphans: createOrphanKiller() });
  onEnd(t, () => limits.close());
  if (!limits.description.startsWith('memory and cpu: cgroup')) {
    t.skip(`needs a cpu control group that this account may use; here: ${limits.description}`);
    return;
  }
  const [starter, replica] = [1, 2].map(() => {
    const child = spawn('sleep', ['60']);
    onEnd(t, () => child.kill('SIGKILL'));
    return child.pid ?? 0;
  }) as [number, number];
  const usual = await weightOf(starter);

  limits.holdBack(starter);
  await eventually(async () => (await weightOf(starter)) < usual / 8, { what: 'the starter is held back' });

  const confinement = limits.confine({ pid: replica, marker: 'test-none' });
  assert.equal(await confinement.limit({}), undefined);
  assert.ok((await weightOf(replica)) < usual / 8, `${await weightOf(replica)} of ${usual}`);
  confinement.started();
  await eventually(async () => (await weightOf(replica)) === usual, { what: 'the replica is like others' });
  await confinement.release();
});

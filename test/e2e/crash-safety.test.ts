// What a gateway has acknowledged outlives its violent end at any moment, and nothing else does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../helpers/eventually.ts';
import { sluice, startGateway } from '../helpers/gateway.ts';
import { startProgram } from '../helpers/process.ts';
import { createRandom, takeSeed } from '../helpers/random.ts';
import { gatewayOptions, type KillKind, type KillReport, makePlace, openLane } from './crash/lane.ts';
import { checkDataDir, checkProcesses, onlyRunDir } from './crash/traces.ts';

const hasPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;

/** Of one of the two gateways. */
const kinds: readonly KillKind[] = [
  ...Array<KillKind>(8).fill('deploy'),
  ...Array<KillKind>(6).fill('half'),
  ...Array<KillKind>(2).fill('upload'),
  ...Array<KillKind>(5).fill('writes'),
  ...Array<KillKind>(4).fill('start'),
];

const runLane = async (t: TestContext, seed: number): Promise<KillReport[]> => {
  const random = createRandom(seed);
  const lane = await openLane(t, { random, withPython: hasPython });
  const left = [...kinds];
  const reports: KillReport[] = [];
  while (left.length > 0) {
    const [kind] = left.splice(random.below(left.length), 1) as [KillKind];
    try {
      reports.push(await lane.round(kind));
    } catch (error) {
      throw new Error(`after kill ${reports.length + 1}, in ${kind}, of the gateway with seed ${seed}`, { cause: error });
    }
  }
  return reports;
};

test('after SIGKILL at 50 moments all that was acknowledged answers, nothing is half there and nothing is left over', async (t) => {
  if (!hasPython) {
    assert.equal(process.env.CI, undefined, 'python3 is not installed');
    t.diagnostic('python3 is not installed: the python function is left out');
  }
  const seed = takeSeed(t);
  const reports = (await Promise.all([runLane(t, seed), runLane(t, seed + 1)])).flat();
  assert.equal(reports.length, 50);
  const within = (...of: KillKind[]): KillReport[] =>
    reports.filter((report) => of.includes(report.kind) && report.inside > 0 && report.descendantsAlive);
  const [deploys, uploads] = [within('deploy'), within('half', 'upload')];
  t.diagnostic(`kills inside a deployment: ${deploys.length}, inside an upload: ${uploads.length}`);
  assert.ok(deploys.length >= 10, `${deploys.length} kills inside a deployment`);
  assert.ok(uploads.length >= 10, `${uploads.length} kills inside an upload`);
  assert.ok(uploads.filter((report) => report.rooms > 0).length >= 10, 'kills with half an upload on the disk');
});

/** Where a first start has got to when these exist. */
const milestones = ['', 'sluice.db', 'credentials', 'credentials/basic-auth-user', 'sample', 'bundles/partial'];

const killFirstStart = async (t: TestContext, milestone: string, delayMs: number): Promise<void> => {
  const place = await makePlace(t);
  const options = gatewayOptions(place);
  const first = startProgram(t, process.execPath, [sluice, 'gateway', '--port', '0', '--metrics-port', '0', ...options.args], {
    env: { ...options.env, HOME: place.base, PATH: process.env.PATH ?? '', SLUICE_DATA_DIR: place.dataDir },
    cwd: place.base,
  });
  await eventually(() => existsSync(join(place.dataDir, milestone)), { what: `${milestone} is made`, intervalMs: 1 });
  await sleep(delayMs);
  first.kill('SIGKILL');
  await first.exited;
  const gateway = await startGateway(t, options);
  await gateway.program().until(/try it:/);
  const { instance } = await onlyRunDir(place);
  await checkProcesses(place, instance, gateway.program().pid);
  await checkDataDir(place);
  const answer = await gateway.call('hello', { method: 'POST', body: 'world' });
  assert.equal(answer.status, 200, answer.text);
  await gateway.kill('SIGTERM');
  assert.deepEqual(await readdir(place.runParent), [], 'a gateway that ends in order leaves no run directory');
};

test('a first start that is killed at any moment leaves nothing that the next start does not put right', async (t) => {
  const random = createRandom(takeSeed(t));
  const left = milestones.map((milestone) => ({ milestone, delayMs: random.below(10) }));
  const next = async (): Promise<void> => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) {
      await killFirstStart(t, each.milestone, each.delayMs);
    }
  };
  await Promise.all([next(), next()]);
});

// What a gateway has acknowledged outlives its violent end at any moment, and nothing else does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { createRandom, takeSeed } from '../helpers/random.ts';
import { type KillKind, type KillReport, openLane } from './crash/lane.ts';

const hasPython = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0;

/** Of one of the two gateways. */
const kinds: readonly KillKind[] = [
  ...Array<KillKind>(8).fill('deploy'),
  ...Array<KillKind>(8).fill('upload'),
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
  const within = (kind: KillKind): KillReport[] =>
    reports.filter((report) => report.kind === kind && report.inside > 0 && report.descendantsAlive);
  const [deploys, uploads] = [within('deploy'), within('upload')];
  t.diagnostic(`kills inside a deployment: ${deploys.length}, inside an upload: ${uploads.length}`);
  assert.ok(deploys.length >= 10, `${deploys.length} kills inside a deployment`);
  assert.ok(uploads.length >= 10, `${uploads.length} kills inside an upload`);
  assert.ok(uploads.filter((report) => report.rooms > 0).length >= 10, 'kills with half an upload on the disk');
});

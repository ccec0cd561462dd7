import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFaults } from '../gateway/faults/run.ts';
import { takeSeed } from '../helpers/random.ts';

test('replicas that are killed, stopped, slow, refuse or break off cost no call that had not reached them', async (t) => {
  const report = await runFaults(t, { seconds: 20, seed: takeSeed(t) });
  const { load, faults, excused, unnoted, unexcused, counted } = report;
  const kills = faults.filter(({ kind }) => kind.endsWith('kill')).length;
  t.diagnostic(`${load.sent} calls, ${excused.length} failed with their replica; ${faults.map(({ kind }) => kind).join(' ')}`);
  assert.ok(load.sent > 2000 && faults.length >= 6, `${load.sent} calls, ${faults.length} faults`);
  assert.deepEqual(unexcused, []);
  assert.ok(unnoted.length <= kills, `${unnoted.length} calls at ${kills} kills`);
  assert.deepEqual(report.repeated, []);
  assert.deepEqual(report.stuck, []);
  assert.equal(load.ok + excused.length + unnoted.length, load.sent);
  assert.deepEqual(counted, { started: load.sent, statuses: load.statuses });
  assert.ok(report.openFiles.after <= report.openFiles.before + 8, JSON.stringify(report.openFiles));
});

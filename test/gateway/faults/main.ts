// The fault run by hand, as long as wanted: node test/gateway/faults/main.ts [--minutes 5] [--seed 1]. Needs dist/.
import { parseArgs } from 'node:util';
import type { Cleanup } from '../../helpers/cleanup.ts';
import type { SlowCall } from './plan.ts';
import { runFaults } from './run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const steps: (() => unknown)[] = [];
const cleanup: Cleanup = { after: (step) => void steps.push(step as () => unknown) };

try {
  const report = await runFaults(cleanup, { seconds: Number(values.minutes) * 60, seed });
  const { load, faults, excused, unnoted, unexcused, repeated, stuck, counted, openFiles } = report;
  const kinds: Record<string, number> = {};
  for (const { kind } of faults) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const agree = counted.started === load.sent && JSON.stringify(counted.statuses) === JSON.stringify(load.statuses);
  console.log(`seed               ${seed}`);
  console.log(`calls              ${load.sent}: ${load.ok} answered, ${excused.length} failed in a replica that was harmed`);
  console.log(`faults             ${JSON.stringify(kinds)}`);
  console.log(`read by a replica that died before it could note them: ${unnoted.length}`);
  console.log(`unexcused failures ${unexcused.length}`);
  const show = (calls: readonly SlowCall[]): void => {
    for (const call of calls.slice(0, 10)) {
      const near = faults.filter(({ beganMs, endedMs }) => beganMs < call.endedMs + 50 && endedMs > call.beganMs - 50);
      const times = near.map(({ kind, beganMs, endedMs }) => `${kind} ${beganMs - call.endedMs} … ${endedMs - call.endedMs}`);
      console.log(`  ${JSON.stringify(call)} during ${times.join('; ')}`);
    }
  };
  show(unexcused);
  console.log(`received twice     ${repeated.length}`);
  console.log(`stuck in a stopped replica after 2 s: ${stuck.length}`);
  show(stuck);
  console.log(`counters agree     ${agree ? 'yes' : JSON.stringify({ counted, statuses: load.statuses })}`);
  console.log(`open files         ${openFiles.before} before, ${openFiles.after} after`);
  const kills = (kinds.kill ?? 0) + (kinds['stop-and-kill'] ?? 0);
  const good =
    unexcused.length + repeated.length + stuck.length === 0 &&
    agree &&
    load.ok + excused.length + unnoted.length === load.sent &&
    unnoted.length <= kills &&
    openFiles.after <= openFiles.before + 8;
  console.log(good ? 'good' : 'NOT GOOD');
  process.exitCode = good ? 0 : 1;
} finally {
  for (const step of steps.reverse()) await step();
}

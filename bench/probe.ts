// Loaded into a gateway before its own code, to look at it from inside: on SIGUSR2 it writes a snapshot to
// $SLUICE_BENCH_SNAPSHOT. It does nothing until it is asked.
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { takeSnapshot } from './snapshot.ts';

const file = process.env.SLUICE_BENCH_SNAPSHOT;
if (isMainThread && file !== undefined) {
  process.on('SIGUSR2', () => {
    writeFileSync(`${file}.part`, JSON.stringify(takeSnapshot()));
    renameSync(`${file}.part`, file);
  });
}

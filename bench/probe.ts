// Loaded into a gateway before its own code, to look at it from inside: on SIGUSR2 it writes a snapshot to
// $SLUICE_BENCH_SNAPSHOT, on SIGWINCH it collects garbage. It does nothing until it is asked, unless $SLUICE_BENCH_TURNS asks
// for the longest turn.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { type GatewaySnapshot, takeSnapshot } from './snapshot.ts';

/**
 * The longest turn of the event loop since the last look, in ms of the main thread's own processor time: waiting for a
 * processor on a busy machine says nothing about the work.
 */
const watchTurns = (): { take(): number } => {
  let longestMs = 0;
  let before = process.threadCpuUsage();
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    before = process.threadCpuUsage();
    setImmediate(turn).unref();
  };
  setImmediate(turn).unref();
  return {
    take() {
      const taken = longestMs;
      longestMs = 0;
      before = process.threadCpuUsage();
      return taken;
    },
  };
};

/** Without a count of objects, which takes memory of its own and gives only some of it back. */
const collect = (): void => {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  gc();
};

const { SLUICE_BENCH_SNAPSHOT: file, SLUICE_BENCH_TURNS: wantsTurns } = process.env;
if (isMainThread && file !== undefined) {
  const turns = wantsTurns === undefined ? undefined : watchTurns();
  process.on('SIGWINCH', collect);
  process.on('SIGUSR2', () => {
    const longestTurnMs = turns?.take();
    const snapshot = takeSnapshot();
    // Counting is no turn of the gateway's.
    turns?.take();
    writeFileSync(`${file}.part`, JSON.stringify({ ...snapshot, longestTurnMs } satisfies GatewaySnapshot));
    renameSync(`${file}.part`, file);
  });
}

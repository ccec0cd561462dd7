// Ends processes that left their replica's process group, found by the marker in their environment.
import { markerVariable } from '../environment.ts';
import { pidsWithVariable } from './proc.ts';

const killPid = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
};

/** Ends all processes whose marker passes, and those that they start meanwhile. @returns how many there were */
export const killMarked = async (passes: (marker: string) => boolean): Promise<number> => {
  const seen = new Set<number>();
  for (let round = 0; round < 10; round += 1) {
    const pids = await pidsWithVariable(markerVariable, passes);
    for (const pid of pids) {
      seen.add(pid);
      killPid(pid);
    }
    if (pids.length === 0) break;
    // A killed process keeps its environment until it is reaped.
    await new Promise((resolve) => setTimeout(resolve, 5 * (round + 1)));
  }
  return seen.size;
};

export interface OrphanKiller {
  /** Resolves when no process with this marker is left. */
  kill(marker: string): Promise<void>;
}

/** Replicas that end at the same time are looked for together: reading all of /proc for each would be slow. */
export const createOrphanKiller = (): OrphanKiller => {
  let waiting: { markers: Set<string>; done: Promise<void> } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    kill: (marker) => {
      if (waiting === undefined) {
        const markers = new Set<string>();
        const done = last.then(async () => {
          waiting = undefined;
          await killMarked((found) => markers.has(found)).catch(() => 0);
        });
        last = done;
        waiting = { markers, done };
      }
      waiting.markers.add(marker);
      return waiting.done;
    },
  };
};

// Faults in replicas, one after the other, by a seeded plan: never more than two of them at once.
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../helpers/eventually.ts';
import { createRandom } from '../../helpers/random.ts';
import type { Replicas } from './replicas.ts';

export const faultKinds = ['kill', 'stop', 'slow', 'half', 'refuse', 'stop-and-kill'] as const;
export type FaultKind = (typeof faultKinds)[number];

export type Fault = {
  readonly kind: FaultKind;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly beganMs: number;
  endedMs: number;
};

export type Storm = {
  /** No new faults; resolves when those that run have ended. */
  stop(): Promise<readonly Fault[]>;
};

const stoppedMs = 3500;
const now = (): number => performance.timeOrigin + performance.now();

const commit = async (replicas: Replicas, kind: FaultKind, pid: number): Promise<void> => {
  if (kind === 'kill') process.kill(pid, 'SIGKILL');
  else if (kind === 'stop' || kind === 'stop-and-kill') {
    process.kill(pid, 'SIGSTOP');
    await delay(stoppedMs);
    process.kill(pid, kind === 'stop' ? 'SIGCONT' : 'SIGKILL');
  } else {
    replicas.tell(pid, kind);
    await delay(1200);
    replicas.tell(pid, 'well');
    await eventually(() => replicas.heeds(pid), { what: `replica ${pid} is well again`, intervalMs: 50 });
    // What it had begun before takes a moment.
    await delay(100);
  }
};

/** @param least replicas that live and are well before one is harmed */
export const startStorm = (replicas: Replicas, seed: number, everyMs: number, least: number): Storm => {
  const random = createRandom(seed);
  const faults: Fault[] = [];
  const running = new Set<Promise<void>>();
  const harmed = new Set<number>();
  let count = 0;

  const next = (): void => {
    const well = replicas.alive().filter((pid) => !harmed.has(pid));
    if (harmed.size >= 2 || well.length < least) return;
    const pid = random.pick(well);
    const kind = faultKinds[count++ % faultKinds.length] as FaultKind;
    const fault: Fault = { kind, pid, beganMs: now(), endedMs: Number.POSITIVE_INFINITY };
    faults.push(fault);
    harmed.add(pid);
    const work = commit(replicas, kind, pid).finally(() => {
      fault.endedMs = now();
      harmed.delete(pid);
      running.delete(work);
    });
    running.add(work);
  };
  const timer = setInterval(next, everyMs);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      return faults;
    },
  };
};

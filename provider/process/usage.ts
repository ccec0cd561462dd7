// What the replicas of a function use of the machine. CPU is a difference between two looks: one is taken in the background
// every few seconds, so that nobody who asks has to wait for the second.
import type { FunctionStatus } from '../types/function.ts';
import type { Confinement } from './limits/limits.ts';

const lookEveryMs = 15_000;
/** A shorter time says more about the moment than about the function. */
const shortestMs = 1000;
/** Replicas looked at at a time. */
const slice = 16;

type Look = { readonly atMs: number; readonly cpuMs: number };

export type Measured = {
  readonly startedAtMs: number;
  confinement(): Confinement | undefined;
};

export interface UsageMeter {
  /** CPU in millicores over the last 1 to 30 s, or since the start of a younger replica; memory now; summed over replicas. */
  measure(replicas: readonly Measured[]): Promise<NonNullable<FunctionStatus['usage']>>;
  close(): void;
}

export type UsageMeterParts = {
  readonly running: () => readonly Measured[];
  readonly now: () => number;
  readonly everyMs?: number;
};

export const createUsageMeter = ({ running, now, everyMs = lookEveryMs }: UsageMeterParts): UsageMeter => {
  /** The last two looks at a replica, the later one first. */
  const looks = new WeakMap<Measured, readonly Look[]>();

  const look = async (replica: Measured): Promise<void> => {
    const usage = await replica.confinement()?.usage();
    const [last] = looks.get(replica) ?? [];
    if (usage === undefined) return;
    const taken = { atMs: now(), cpuMs: usage.cpuMs };
    looks.set(replica, last === undefined ? [taken] : [taken, last]);
  };

  const lookAtAll = async (): Promise<void> => {
    const replicas = running();
    for (let at = 0; at < replicas.length; at += slice) await Promise.all(replicas.slice(at, at + slice).map(look));
  };

  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const schedule = (): void => {
    if (closed) return;
    timer = setTimeout(() => void lookAtAll().finally(schedule), everyMs);
    timer.unref();
  };
  schedule();

  const measureOne = async (replica: Measured) => {
    const usage = await replica.confinement()?.usage();
    if (usage === undefined) return { cpu: 0, memoryBytes: 0 };
    const nowMs = now();
    const start: Look = { atMs: replica.startedAtMs, cpuMs: 0 };
    const base = looks.get(replica)?.find((each) => nowMs - each.atMs >= shortestMs) ?? start;
    const elapsedMs = Math.max(shortestMs, nowMs - base.atMs);
    return { cpu: (Math.max(0, usage.cpuMs - base.cpuMs) / elapsedMs) * 1000, memoryBytes: usage.memoryBytes };
  };

  return {
    measure: async (replicas) => {
      const all = await Promise.all(replicas.map(measureOne));
      return {
        cpu: Math.round(all.reduce((sum, each) => sum + each.cpu, 0)),
        totalMemoryBytes: all.reduce((sum, each) => sum + each.memoryBytes, 0),
      };
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
};

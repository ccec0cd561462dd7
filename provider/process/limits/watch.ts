// Memory limits without cgroups: looks at the memory of limited replicas several times a second and ends those over it.

import type { Caps, Confinement, Limits, Usage } from './limits.ts';
import type { OrphanKiller } from './orphans.ts';
import { type ProcessFact, readProcesses, treeOf } from './proc.ts';

const intervalMs = 200;
/** How old what is known of the processes may be for a question about usage. */
const freshMs = 50;
const pageBytes = 4096;
const tickMs = 10;

export type WatchParts = {
  readonly orphans: OrphanKiller;
  /** Why there is no better way, for the description. */
  readonly because: string;
};

const usageOf = (pid: number, facts: readonly ProcessFact[]): Usage | undefined => {
  const tree = treeOf(pid, facts);
  if (tree.length === 0) return undefined;
  const cpuMs = tree.reduce((sum, fact) => sum + fact.cpuTicks * tickMs, 0);
  return { cpuMs, memoryBytes: tree.reduce((sum, fact) => sum + fact.residentPages * pageBytes, 0) };
};

const endTree = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
};

export const createWatch = ({ orphans, because }: WatchParts): Limits => {
  const limited = new Map<number, { memoryBytes: number; exceeded: boolean }>();
  let timer: NodeJS.Timeout | undefined;
  let seen: { readonly atMs: number; readonly facts: Promise<ProcessFact[]> } | undefined;

  /** Reading every process costs as much for one replica as for all: those who ask at about the same time share it. */
  const recentFacts = (): Promise<ProcessFact[]> => {
    const nowMs = performance.now();
    if (seen === undefined || nowMs - seen.atMs > freshMs) seen = { atMs: nowMs, facts: readProcesses() };
    return seen.facts;
  };

  const look = async (): Promise<void> => {
    const facts = await readProcesses();
    for (const [pid, entry] of limited) {
      const tree = treeOf(pid, facts);
      const memory = tree.reduce((sum, fact) => sum + fact.residentPages * pageBytes, 0);
      if (memory <= entry.memoryBytes) continue;
      entry.exceeded = true;
      endTree(tree.map((fact) => fact.pid));
    }
  };

  const schedule = (): void => {
    if (timer !== undefined || limited.size === 0) return;
    timer = setTimeout(() => {
      void look()
        .catch(() => undefined)
        .then(() => {
          timer = undefined;
          schedule();
        });
    }, intervalMs);
    timer.unref();
  };

  const confine = ({ pid, marker }: { pid: number; marker: string }): Confinement => {
    const entry = { memoryBytes: Number.POSITIVE_INFINITY, exceeded: false };
    return {
      limit: async (caps: Caps) => {
        if (caps.memoryBytes === undefined) return undefined;
        entry.memoryBytes = caps.memoryBytes;
        limited.set(pid, entry);
        schedule();
        return undefined;
      },
      started: () => undefined,
      ranOutOfMemory: async () => entry.exceeded,
      usage: () =>
        recentFacts().then(
          (facts) => usageOf(pid, facts),
          () => undefined,
        ),
      release: async () => {
        limited.delete(pid);
        await orphans.kill(marker);
      },
    };
  };

  return {
    description: `memory: replicas over their limit are ended by a watch of ${intervalMs} ms; cpu: not enforced (${because})`,
    confine,
    holdBack: () => undefined,
    close: async () => {
      clearTimeout(timer);
      limited.clear();
    },
  };
};

// Limits by control groups: one group a replica, in which all its processes stay however they fork.
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caps, Confinement, Limits, Usage } from './limits.ts';

/** The files of one version of control groups, as far as they differ. */
export type Dialect = {
  readonly name: string;
  /** Parent directories of the replicas' groups. The first holds `cgroup.procs` that count. */
  readonly parents: readonly string[];
  /** `[parent, file, value]` for limits. */
  readonly limits: (caps: Caps) => readonly (readonly [number, string, string])[];
  readonly oomFile: readonly [number, string];
  readonly memory: {
    readonly current: readonly [number, string];
    readonly stat: readonly [number, string];
    readonly inactive: RegExp;
    readonly limitFile: string;
  };
  readonly cpu: { readonly file: readonly [number, string]; readonly toMs: (text: string) => number } | undefined;
  readonly killFile: string | undefined;
  readonly cpuEnforced: boolean;
  /** Share of a busy processor: `[parent, file]`, what a group has by itself, and what it has while its replica starts. */
  readonly weight: { readonly file: readonly [number, string]; readonly normal: string; readonly starting: string } | undefined;
};

const periodUs = 100_000;
const quotaUs = (cores: number): string => String(Math.max(1000, Math.round(cores * periodUs)));

export const version1 = (memory: string, cpu: string | undefined, cpuacct: string | undefined): Dialect => {
  const parents = [...new Set([memory, cpu, cpuacct].filter((each) => each !== undefined))];
  const cpuAt = cpu === undefined ? -1 : parents.indexOf(cpu);
  const acctAt = cpuacct === undefined ? -1 : parents.indexOf(cpuacct);
  return {
    name: 'cgroup v1',
    parents,
    limits: (caps) => [
      ...(caps.memoryBytes === undefined ? [] : ([[0, 'memory.limit_in_bytes', String(caps.memoryBytes)]] as const)),
      ...(caps.cpuCores === undefined || cpuAt === -1 ? [] : ([[cpuAt, 'cpu.cfs_quota_us', quotaUs(caps.cpuCores)]] as const)),
    ],
    oomFile: [0, 'memory.oom_control'],
    memory: {
      current: [0, 'memory.usage_in_bytes'],
      stat: [0, 'memory.stat'],
      inactive: /^total_inactive_file (\d+)$/m,
      limitFile: 'memory.limit_in_bytes',
    },
    cpu: acctAt === -1 ? undefined : { file: [acctAt, 'cpuacct.usage'], toMs: (text) => Number(text) / 1e6 },
    killFile: undefined,
    cpuEnforced: cpuAt !== -1,
    weight: cpuAt === -1 ? undefined : { file: [cpuAt, 'cpu.shares'], normal: '1024', starting: '64' },
  };
};

export const version2 = (base: string, cpuEnforced: boolean): Dialect => ({
  name: 'cgroup v2',
  parents: [base],
  limits: (caps) => [
    ...(caps.memoryBytes === undefined
      ? []
      : ([
          [0, 'memory.max', String(caps.memoryBytes)],
          [0, 'memory.swap.max', '0'],
        ] as const)),
    ...(caps.cpuCores === undefined || !cpuEnforced ? [] : ([[0, 'cpu.max', `${quotaUs(caps.cpuCores)} ${periodUs}`]] as const)),
  ],
  oomFile: [0, 'memory.events'],
  memory: {
    current: [0, 'memory.current'],
    stat: [0, 'memory.stat'],
    inactive: /^inactive_file (\d+)$/m,
    limitFile: 'memory.max',
  },
  cpu: { file: [0, 'cpu.stat'], toMs: (text) => Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? 0) / 1000 },
  killFile: 'cgroup.kill',
  cpuEnforced,
  weight: cpuEnforced ? { file: [0, 'cpu.weight'], normal: '100', starting: '6' } : undefined,
});

const killPid = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Ends all processes of a group and takes it away. @returns false when it cannot be emptied */
const dissolve = async (dirs: readonly string[], killFile: string | undefined): Promise<boolean> => {
  const first = dirs[0] ?? '';
  for (let round = 0; round < 40; round += 1) {
    const pids = (await readFile(join(first, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    if (pids.length === 0) break;
    if (killFile !== undefined) await writeFile(join(first, killFile), '1').catch(() => undefined);
    for (const pid of pids) if (Number(pid) > 0) killPid(Number(pid));
    await pause(2 * (round + 1));
  }
  let removed = true;
  for (const dir of dirs) {
    let done = false;
    for (let round = 0; round < 10 && !done; round += 1) {
      done = await rmdir(dir).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
      );
      if (!done) await pause(5 * (round + 1));
    }
    removed &&= done;
  }
  return removed;
};

const toProblem = (error: NodeJS.ErrnoException): string =>
  error.code === 'EBUSY' ? 'the process needs more than that before it has any code of the function' : error.message;

const confineIn = (dialect: Dialect, id: string, pid: number): Confinement => {
  const dirs = dialect.parents.map((parent) => join(parent, id));
  const pathOf = ([at, file]: readonly [number, string]): string => join(dirs[at] ?? '', file);
  const read = (where: readonly [number, string]): Promise<string> => readFile(pathOf(where), 'utf8').catch(() => '');
  const weigh = async (to: 'normal' | 'starting'): Promise<void> => {
    if (dialect.weight !== undefined) await writeFile(pathOf(dialect.weight.file), dialect.weight[to]);
  };
  const placed = Promise.all(
    dirs.map(async (dir, at) => {
      await mkdir(dir);
      if (at === dialect.weight?.file[0]) await weigh('starting');
      await writeFile(join(dir, 'cgroup.procs'), String(pid));
    }),
  ).then(
    () => undefined,
    (error: Error) => `the process could not be put into a control group: ${error.message}`,
  );

  const usage = async (): Promise<Usage | undefined> => {
    const [current, stat, cpu] = await Promise.all([
      read(dialect.memory.current),
      read(dialect.memory.stat),
      dialect.cpu === undefined ? '' : read(dialect.cpu.file),
    ]);
    if (current === '') return undefined;
    const inactive = Number(dialect.memory.inactive.exec(stat)?.[1] ?? 0);
    return { memoryBytes: Math.max(0, Number(current) - inactive), cpuMs: dialect.cpu?.toMs(cpu) ?? 0 };
  };

  return {
    limit: async (caps) => {
      const unplaced = await placed;
      let problem = caps.memoryBytes === undefined ? undefined : unplaced;
      for (const [at, file, value] of dialect.limits(caps)) {
        const failure = await writeFile(pathOf([at, file]), value).then(() => undefined, toProblem);
        // Others may not be there, or be held tighter by a group above.
        if (file === dialect.memory.limitFile) problem ??= failure;
      }
      return problem;
    },
    started: () => void placed.then(() => weigh('normal')).catch(() => undefined),
    ranOutOfMemory: async () => Number(/^oom_kill (\d+)$/m.exec(await read(dialect.oomFile))?.[1] ?? 0) > 0,
    usage,
    release: async () => {
      await placed;
      await dissolve(dirs, dialect.killFile);
    },
  };
};

const startsGroup = 'starts';

/** A process of a low weight has children of a low weight: they are held back before they can be put into groups of their own. */
const holdBackIn = async (dialect: Dialect, pid: number): Promise<void> => {
  if (dialect.weight === undefined) return;
  const { file, starting } = dialect.weight;
  const dir = join(dialect.parents[file[0]] ?? '', startsGroup);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, file[1]), starting);
  await writeFile(join(dir, 'cgroup.procs'), String(pid));
};

/** Makes the parent groups, empty of what a dead gateway left there. @throws when this account may not */
export const createCgroups = async (dialect: Dialect): Promise<Limits> => {
  for (const parent of dialect.parents) {
    await mkdir(parent, { recursive: true });
    for (const entry of await readdir(parent, { withFileTypes: true })) {
      if (entry.isDirectory()) await dissolve([join(parent, entry.name)], dialect.killFile);
    }
    await access(join(parent, 'cgroup.procs'));
  }
  let next = 0;
  return {
    description: `memory${dialect.cpuEnforced ? ' and cpu' : ''}: ${dialect.name}${dialect.cpuEnforced ? '' : '; cpu: not enforced'}`,
    confine: ({ pid }) => {
      next += 1;
      return confineIn(dialect, `r${next}`, pid);
    },
    // Without it starts are as urgent as calls, and nothing else.
    holdBack: (pid) => void holdBackIn(dialect, pid).catch(() => undefined),
    close: async () => {
      for (const parent of dialect.parents) {
        for (const entry of await readdir(parent, { withFileTypes: true }).catch(() => [])) {
          if (entry.isDirectory()) await dissolve([join(parent, entry.name)], dialect.killFile);
        }
      }
      await dissolve(dialect.parents, undefined);
    },
  };
};

// Finds the strongest way to hold functions to their limits that this machine and account allow.
import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCgroups, version1, version2 } from './cgroup.ts';
import { findLayouts, type Layout } from './cgroup-layout.ts';
import type { Limits } from './limits.ts';
import type { OrphanKiller } from './orphans.ts';
import { createWatch } from './watch.ts';

const withController = async (file: string, name: string): Promise<boolean> =>
  (await readFile(file, 'utf8')).trim().split(/\s+/).includes(name);

/**
 * A group whose children are to be limited must hold no process itself. Ours does: we move into a leaf, but only when
 * nobody else lives here.
 */
const delegate = async (base: string): Promise<boolean> => {
  if (!(await withController(join(base, 'cgroup.controllers'), 'memory'))) throw new Error('no memory controller');
  const cpu = await withController(join(base, 'cgroup.controllers'), 'cpu');
  const wanted = cpu ? '+memory +cpu' : '+memory';
  try {
    await writeFile(join(base, 'cgroup.subtree_control'), wanted);
    return cpu;
  } catch {
    const here = (await readFile(join(base, 'cgroup.procs'), 'utf8')).trim().split('\n');
    if (here.some((pid) => Number(pid) !== process.pid)) throw new Error('other processes share our control group');
    const leaf = join(base, 'sluice-gateway');
    await mkdir(leaf, { recursive: true });
    await writeFile(join(leaf, 'cgroup.procs'), String(process.pid));
    await writeFile(join(base, 'cgroup.subtree_control'), wanted);
    return cpu;
  }
};

const open = async (layout: Layout, name: string): Promise<Limits> => {
  if (layout.version === 1) {
    const group = (base: string | undefined): string | undefined => (base === undefined ? undefined : join(base, name));
    return createCgroups(version1(join(layout.memory, name), group(layout.cpu), group(layout.cpuacct)));
  }
  const cpu = await delegate(layout.base);
  const own = join(layout.base, name);
  await mkdir(own, { recursive: true });
  try {
    await writeFile(join(own, 'cgroup.subtree_control'), cpu ? '+memory +cpu' : '+memory');
    await access(join(own, 'cgroup.procs'));
  } catch (error) {
    await rmdir(own).catch(() => undefined);
    throw error;
  }
  return createCgroups(version2(own, cpu));
};

/** @param name of the control groups to make, distinct for every data directory */
export const detectLimits = async (parts: { name: string; orphans: OrphanKiller }): Promise<Limits> => {
  const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
  const reasons: string[] = [];
  for (const layout of findLayouts(await read('/proc/self/cgroup'), await read('/proc/self/mountinfo'))) {
    try {
      return await open(layout, parts.name);
    } catch (error) {
      reasons.push(`cgroup v${layout.version}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return createWatch({ orphans: parts.orphans, because: reasons.join('; ') || 'no cgroups here' });
};

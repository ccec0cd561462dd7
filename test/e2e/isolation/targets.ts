// What there is to be found on the machine while a gateway runs, as root sees it.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseStat } from '../../../provider/process/limits/proc.ts';

export type Thing = { readonly path: string; readonly kind: 'file' | 'directory' | 'socket' };

/** Everything below a directory and itself, but not what `skip` names. */
export const thingsBelow = async (root: string, skip: (path: string) => boolean = () => false): Promise<Thing[]> => {
  const things: Thing[] = [{ path: root, kind: 'directory' }];
  for (const entry of await readdir(root, { withFileTypes: true }).catch(() => [])) {
    const path = join(root, entry.name);
    if (skip(path)) continue;
    if (entry.isDirectory()) things.push(...(await thingsBelow(path, skip)));
    else things.push({ path, kind: entry.isSocket() ? 'socket' : 'file' });
  }
  return things;
};

export type Relative = { readonly pid: number; readonly command: string };

/** Processes that descend from `root`. */
export const descendants = async (root: number): Promise<Relative[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const facts = await Promise.all(
    pids.map(async (pid) => ({ pid, stat: parseStat(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')) })),
  );
  const found = new Set([root]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const { pid, stat } of facts) if (stat !== undefined && found.has(stat.parent)) found.add(pid);
  }
  found.delete(root);
  return Promise.all(
    [...found].map(async (pid) => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '') })),
  );
};

/** `<run directory>/<replica>/t` is the home of a function. */
export const placesOf = (home: string): { replica: string; runDir: string } => ({
  replica: dirname(home),
  runDir: dirname(dirname(home)),
});

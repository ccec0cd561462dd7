// What /proc says about processes. On systems without it there are none to see.
import { readdir, readFile } from 'node:fs/promises';

export type ProcessFact = {
  readonly pid: number;
  readonly parent: number;
  /** Time on the CPU, its waited-for children included, in clock ticks (100 a second on Linux). */
  readonly cpuTicks: number;
  readonly residentPages: number;
};

/** The facts in the text of /proc/<pid>/stat; the command name in it may hold spaces and parentheses. */
export const parseStat = (text: string): ProcessFact | undefined => {
  const close = text.lastIndexOf(')');
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(close + 2).split(' ');
  if (close === -1 || Number.isNaN(pid) || fields.length < 22) return undefined;
  const at = (index: number): number => Number(fields[index]);
  return { pid, parent: at(1), cpuTicks: at(11) + at(12) + at(13) + at(14), residentPages: at(21) };
};

const listPids = async (): Promise<number[]> => {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
};

export const readProcesses = async (): Promise<ProcessFact[]> => {
  const facts = await Promise.all(
    (await listPids()).map(async (pid) => parseStat(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''))),
  );
  return facts.filter((fact) => fact !== undefined);
};

/** The process and all its descendants. */
export const treeOf = (root: number, facts: readonly ProcessFact[]): ProcessFact[] => {
  const children = Map.groupBy(facts, (fact) => fact.parent);
  const found: ProcessFact[] = facts.filter((fact) => fact.pid === root);
  for (let at = 0; at < found.length; at += 1) {
    for (const child of children.get(found[at]?.pid ?? -1) ?? []) if (child.pid !== root) found.push(child);
  }
  return found;
};

/** Pids whose environment at start had a variable `name` whose value passes. Other users' processes are seen by root only. */
export const pidsWithVariable = async (name: string, passes: (value: string) => boolean): Promise<number[]> => {
  const found: number[] = [];
  const prefix = `${name}=`;
  for (const pid of await listPids()) {
    if (pid === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    const start = environment.startsWith(prefix) ? 0 : environment.indexOf(`\0${prefix}`) + 1;
    if (start === 0 && !environment.startsWith(prefix)) continue;
    const end = environment.indexOf('\0', start);
    if (passes(environment.slice(start + prefix.length, end === -1 ? undefined : end))) found.push(pid);
  }
  return found;
};

// What Linux says about processes; elsewhere nothing is known.
import { readdir, readFile, writeFile } from 'node:fs/promises';

const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

export type Memory = { readonly rssBytes: number /** With shared pages divided among their users. */; readonly pssBytes: number };

/** `undefined` where it cannot be read. */
export const memoryOf = async (pid: number): Promise<Memory | undefined> => {
  const text = await read(`/proc/${pid}/smaps_rollup`);
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]) * 1024;
  return text === undefined ? undefined : { rssBytes: bytes('Rss'), pssBytes: bytes('Pss') };
};

const statusBytes = async (pid: number, key: string): Promise<number> => {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec((await read(`/proc/${pid}/status`)) ?? '')?.[1];
  if (found === undefined) throw new Error(`${key} of process ${pid} cannot be read on this system`);
  return Number(found) * 1024;
};

/** The most memory it has had since it began. @throws Error where the system does not tell */
export const peakBytes = (pid: number): Promise<number> => statusBytes(pid, 'VmHWM');

/**
 * Begins to watch how far resident memory grows; what it returns tells by how many bytes it has at most.
 * @throws Error where the system does not tell
 */
export const peakSince = async (pid: number): Promise<() => Promise<number>> => {
  // 5: the peak begins anew from now on.
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await statusBytes(pid, 'VmRSS');
  return async () => (await statusBytes(pid, 'VmHWM')) - before;
};

// Linux counts in hundredths of a second wherever Node.js runs.
const ticksPerS = 100;

/** Processor time that the process and its threads have used, in seconds; `undefined` where it cannot be read. */
export const cpuSecondsOf = async (pid: number): Promise<number | undefined> => {
  const text = await read(`/proc/${pid}/stat`);
  // The name of the program, in brackets, may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / ticksPerS;
};

const parentOf = async (pid: string): Promise<number | undefined> => {
  const parent = /^PPid:\s+(\d+)/m.exec((await read(`/proc/${pid}/status`)) ?? '')?.[1];
  return parent === undefined ? undefined : Number(parent);
};

/** Process ids of all children, grandchildren and so on whose command line runs the watchdog. */
export const watchdogsUnder = async (root: number): Promise<number[]> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const parent = await parentOf(pid);
    if (parent !== undefined) parents.set(Number(pid), parent);
  }
  const isUnder = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) if (at === root) return true;
    return false;
  };
  const found: number[] = [];
  for (const pid of parents.keys()) {
    if (!isUnder(pid)) continue;
    // Flags of Node.js may come before the script.
    const [program = '', ...words] = ((await read(`/proc/${pid}/cmdline`)) ?? '').split('\0');
    const script = words.find((word) => !word.startsWith('-')) ?? '';
    if (/node/.test(program) && /watchdog(?:\.packed)?\.[cm]?js$/.test(script)) found.push(pid);
  }
  return found;
};

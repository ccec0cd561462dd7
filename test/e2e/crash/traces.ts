// What a dead gateway may have left behind: processes, sockets, files.
import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type Place = {
  /** Parent of everything of this gateway. */
  readonly base: string;
  readonly dataDir: string;
  /** Where it makes its run directory. */
  readonly runParent: string;
};

const runDirName = /^sluice-([0-9a-f]{10})-\w{6}$/;

/** The one run directory that may be there, and its instance. @throws AssertionError when there is anything else */
export const onlyRunDir = async ({ runParent }: Place): Promise<{ name: string; instance: string }> => {
  const names = await readdir(runParent);
  assert.equal(names.length, 1, `expected one run directory in ${runParent}, found ${names.join(', ') || 'nothing'}`);
  const match = runDirName.exec(names[0] ?? '');
  assert.ok(match?.[1] !== undefined, `not a run directory: ${names[0]}`);
  return { name: match[0], instance: match[1] };
};

const text = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** Clock ticks from the machine's start to the process's; 0 when there is none. */
const startOf = async (pid: number): Promise<number> => {
  const stat = await text(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
};

export type Trace = { readonly pid: number; readonly startedAt: number; readonly command: string };

/** Every process of this gateway: by the marker of its functions, or by what its command line and directory name. */
export const processesOf = async (place: Place, instance: string): Promise<Trace[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid) return undefined;
      const [environment, commandLine, directory] = await Promise.all([
        text(`/proc/${pid}/environ`),
        text(`/proc/${pid}/cmdline`),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ]);
      const isOurs =
        environment.includes(`SLUICE_REPLICA=${instance}-`) ||
        [commandLine, directory].some((each) => each.includes(`${place.base}/`) || each.includes(`sluice-${instance}-`));
      return isOurs ? { pid, startedAt: await startOf(pid), command: commandLine.replaceAll('\0', ' ').trim() } : undefined;
    }),
  );
  return found.filter((trace) => trace !== undefined);
};

/** @throws AssertionError naming each process that an earlier life of the gateway left */
export const checkProcesses = async (place: Place, instance: string, gatewayPid: number): Promise<void> => {
  const since = await startOf(gatewayPid);
  const old = (await processesOf(place, instance)).filter((trace) => trace.startedAt !== 0 && trace.startedAt < since);
  assert.deepEqual(old, [], 'processes of a dead gateway');
};

const lasting =
  /^(sluice\.db(-wal|-shm)?|lock\.db|lock\.holder|user-ids\.json|credentials\/basic-auth-(user|password)|bundles\/[0-9a-f]{64})$/;

/** Everything in the data directory that is not what it keeps. */
const strangersIn = async ({ dataDir }: Place): Promise<string[]> => {
  const strangers: string[] = [];
  const visit = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      const name = relative(dataDir, path);
      if (lasting.test(name)) continue;
      if (entry.isDirectory() && ['credentials', 'bundles', 'bundles/partial'].includes(name)) await visit(path);
      else strangers.push(name);
    }
  };
  await visit(dataDir);
  return strangers;
};

/** @throws AssertionError naming temporary files and half-written rows */
export const checkDataDir = async (place: Place): Promise<void> => {
  assert.deepEqual(await strangersIn(place), [], `in ${place.dataDir}`);
  const database = new DatabaseSync(join(place.dataDir, 'sluice.db'), { readOnly: true });
  try {
    const integrity = database.prepare('PRAGMA integrity_check').all();
    assert.deepEqual(
      integrity.map((row) => Object.values(row)[0]),
      ['ok'],
    );
    assert.deepEqual(database.prepare('PRAGMA foreign_key_check').all(), []);
  } finally {
    database.close();
  }
};

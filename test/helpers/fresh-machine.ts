// A machine on which nobody ran Sluice before: an empty home, no settings, and nothing of it left elsewhere afterwards.
import { chmod, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { onEnd } from './cleanup.ts';
import { within } from './eventually.ts';
import { sluice } from './gateway.ts';
import { type Program, type ProgramOptions, runProgram, startProgram } from './process.ts';
import { makeTmpDir } from './tmp.ts';

export type FreshMachine = {
  readonly home: string;
  /** Where temporary files of everything that runs here go. */
  readonly temporary: string;
  /** Starts `sluice gateway` on free ports with nothing on its standard input. It is asked to end before the test is over. */
  gateway(...args: readonly string[]): Program;
  /** Runs the CLI to its end. */
  sluice(args: readonly string[], options?: ProgramOptions): ReturnType<typeof runProgram>;
  /** Runs a line of shell to its end, as if it were typed here. */
  shell(line: string, options?: ProgramOptions): ReturnType<typeof runProgram>;
  /** `pid command` of every process that runs with or in a directory of this machine; Linux only. */
  processes(): Promise<string[]>;
};

/** What the gateway printed behind `name`, now or later: `printed(gateway, 'password')`. */
export const printed = async (gateway: Program, name: string): Promise<string> =>
  (await gateway.until(new RegExp(`^${name} +(\\S.*)$`, 'm')))[1] ?? '';

const textOf = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

const processesNaming = async (directory: string): Promise<string[]> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await textOf(`/proc/${pid}/cmdline`);
      const place = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const named = [command, place, await textOf(`/proc/${pid}/environ`)].some((text) => text.includes(directory));
      return named ? `${pid} ${command.replaceAll('\0', ' ').trim()}` : undefined;
    }),
  );
  return found.filter((each) => each !== undefined);
};

export const makeFreshMachine = async (t: Cleanup): Promise<FreshMachine> => {
  const base = await makeTmpDir(t);
  const home = join(base, 'home');
  const temporary = join(base, 't');
  // As /tmp is: root's functions run under other accounts.
  await chmod(base, 0o711);
  await Promise.all([mkdir(home, { mode: 0o700 }), mkdir(temporary, { mode: 0o711 })]);
  const env = { HOME: home, TMPDIR: temporary, PATH: process.env.PATH ?? '/usr/bin:/bin' };
  const here = ({ env: more, ...options }: ProgramOptions = {}): ProgramOptions => ({
    cwd: home,
    ...options,
    env: { ...env, ...more },
  });
  return {
    home,
    temporary,
    gateway: (...args) => {
      const line = [sluice, 'gateway', '--port', '0', '--metrics-port', '0', ...args];
      const program = startProgram(t, process.execPath, line, here());
      onEnd(t, async () => {
        program.kill('SIGTERM');
        await within(program.exited, 'the gateway ends after SIGTERM', 8000);
      });
      return program;
    },
    sluice: (args, options) => runProgram(t, process.execPath, [sluice, ...args], here(options)),
    shell: (line, options) => runProgram(t, 'sh', ['-c', line], here(options)),
    processes: () => processesNaming(base),
  };
};

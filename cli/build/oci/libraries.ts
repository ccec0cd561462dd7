// The shared libraries that programs of this machine need, as its own loader finds them.
import { basename } from 'node:path';
import { FaasError } from '../../../provider/types/errors.ts';
import { byCodeUnit } from '../files.ts';
import { run } from '../run.ts';

export type Libraries = {
  /** Absolute path of the program loader; it has to be at this path in an image too. */
  readonly loader: string | undefined;
  /** From the name that programs ask for to the file here. */
  readonly files: ReadonlyMap<string, string>;
  /** Names that were not found, each with the program that needs it. */
  readonly missing: ReadonlyMap<string, string>;
};

/** Reads what `ldd` prints for one file or, with their names in between, for several. Pure. */
export const parseLdd = (text: string, only = ''): Libraries => {
  const files = new Map<string, string>();
  const missing = new Map<string, string>();
  let loader: string | undefined;
  let program = only;
  for (const line of text.split('\n')) {
    const header = /^(\S.*):$/.exec(line);
    if (header !== null) program = header[1] ?? '';
    const found = /^\s+(\S+) => (\/\S+) \(0x/.exec(line);
    if (found !== null) files.set(found[1] ?? '', found[2] ?? '');
    const absent = /^\s+(\S+) => not found/.exec(line);
    if (absent !== null) missing.set(absent[1] ?? '', program);
    const bare = /^\s+(\/\S+) \(0x/.exec(line);
    if (bare !== null) loader = bare[1];
  }
  // A program that is linked against the loader itself names it as any other library.
  if (loader !== undefined) files.delete(basename(loader));
  return { loader, files: new Map([...files].sort(([a], [b]) => byCodeUnit(a, b))), missing };
};

/** @throws not-found where there is no `ldd`, as on systems without glibc's tools */
export const findLibraries = async (programs: readonly string[]): Promise<Libraries> => {
  if (programs.length === 0) return { loader: undefined, files: new Map(), missing: new Map() };
  const { stdout, output, code } = await run('ldd', programs, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' },
  });
  if (code !== 0 && !/not a dynamic executable|statically linked/.test(output)) {
    throw new FaasError('internal', `ldd ${programs.join(' ')}: exit code ${code}:\n${output.trim()}`);
  }
  return parseLdd(stdout, programs.length === 1 ? programs[0] : '');
};

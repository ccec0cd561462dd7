// The Python of this machine, as files of an image: interpreter, standard library and extension modules, moved to /usr.
import { realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { FaasError } from '../../../provider/types/errors.ts';
import { walkTree } from '../files.ts';
import { run } from '../run.ts';
import type { LayerEntry } from './layer.ts';
import { findLibraries } from './libraries.ts';

type Python = {
  readonly executable: string;
  readonly prefix: string;
  /** Folder of the standard library. */
  readonly library: string;
  readonly version: string;
};

const question = `
import json, sys, sysconfig
print(json.dumps({"executable": sys.executable, "prefix": sys.base_prefix,
  "library": sysconfig.get_path("stdlib"), "version": "%d.%d" % sys.version_info[:2]}))`;

/** What functions do not use: tests, tools, windows, what others installed, and files that only compilers read. */
const leftOut =
  /(^|\/)(__pycache__|tests?|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data|site-packages|dist-packages|config-[^/]*)$|(^|\/)(_tkinter|_test|_ctypes_test|xxlimited|xxsubtype)[^/]*\.so$|\.(a|exe|pyc)$/;

const askPython = async (env: Readonly<Record<string, string | undefined>>): Promise<Python> => {
  const { code, stdout, output } = await run('python3', ['-I', '-c', question], { cwd: '/', env });
  if (code !== 0) throw new FaasError('not-found', `python3: exit code ${code}:\n${output.trim()}`);
  const told = JSON.parse(stdout) as Python;
  return { ...told, executable: await realpath(told.executable) };
};

const sourceOf = async (file: string): Promise<{ file: string; bytes: number }> => ({ file, bytes: (await stat(file)).size });

/** A distribution may link parts of the library elsewhere: their content counts; what leads nowhere stays out. */
const linkedFile = async (path: string, file: string): Promise<LayerEntry[]> => {
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined || !(await stat(real)).isFile()) return [];
  return [{ kind: 'file', path, mode: 0o644, source: await sourceOf(real) }];
};

/** Modules whose libraries are not on this machine could not be imported here either. */
const unusable = async (modules: readonly string[]): Promise<ReadonlySet<string>> =>
  new Set((await findLibraries(modules)).missing.values());

/** @throws not-found when there is no python3 */
export const pythonFiles = async (env: Readonly<Record<string, string | undefined>>): Promise<LayerEntry[]> => {
  const { executable, prefix, library, version } = await askPython(env);
  const home = join('usr', relative(prefix, library));
  const tree = await walkTree(library, (path) => leftOut.test(path));
  const modules = tree.filter((entry) => entry.path.endsWith('.so')).map((entry) => join(library, entry.path));
  const broken = await unusable(modules);
  const entries: LayerEntry[] = [
    { kind: 'file', path: `usr/bin/python${version}`, mode: 0o755, source: await sourceOf(executable) },
    { kind: 'symlink', path: 'usr/bin/python3', target: `python${version}` },
  ];
  for (const entry of tree) {
    const path = `${home}/${entry.path}`;
    const file = join(library, entry.path);
    if (entry.kind === 'directory') entries.push({ kind: 'directory', path });
    else if (broken.has(file)) continue;
    else if (entry.kind === 'symlink') entries.push(...(await linkedFile(path, file)));
    else entries.push({ kind: 'file', path, mode: entry.executable ? 0o755 : 0o644, source: { file, bytes: entry.bytes } });
  }
  return entries;
};

// Installs what requirements.txt names into the bundle, with pip. A template without packages needs no pip.
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import { run } from './run.ts';

export type PythonOptions = {
  /** Root of the build context; may have requirements of the template's own. */
  readonly dir: string;
  readonly handlerDir: string;
  readonly label: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

export type PythonPackages = { readonly environment: Readonly<Record<string, string>> };

const folder = 'python-packages';

const namesPackages = async (file: string): Promise<boolean> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split(/\r?\n/).some((line) => line.trim() !== '' && !line.trim().startsWith('#'));
};

/**
 * The environment that lets Python find what was installed; empty when nothing was.
 * @throws invalid with pip's own output
 */
export const installPythonPackages = async (options: PythonOptions): Promise<PythonPackages> => {
  const files: string[] = [];
  for (const dir of new Set([options.dir, options.handlerDir])) {
    const file = join(dir, 'requirements.txt');
    if (await namesPackages(file)) files.push(file);
  }
  if (files.length === 0) return { environment: {} };
  const target = join(options.dir, folder);
  const requirements = files.flatMap((file) => ['-r', relative(options.handlerDir, file)]);
  const args = ['-m', 'pip', 'install', '--no-compile', '--disable-pip-version-check', '--target', target, ...requirements];
  options.log(`${options.label}: pip install ${requirements.join(' ')}`);
  const result = await run('python3', args, { cwd: options.handlerDir, env: options.env, signal: options.signal });
  if (result.code !== 0) {
    throw new FaasError(
      'invalid',
      `${options.label}: pip install failed with exit code ${result.code}:\n${result.output.trim()}`,
    );
  }
  // Scripts name the interpreter of this machine in their first line, and a function calls modules.
  await rm(join(target, 'bin'), { recursive: true, force: true });
  // Relative to the bundle's root, where its processes start.
  return { environment: { PYTHONPATH: folder } };
};

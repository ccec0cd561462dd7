// Makes ./build/<function>: the template's tree with the handler's files laid over its handler folder, as OpenFaaS's
// builder does (cli contract 19).
import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { Template } from '../templates/find.ts';
import { copyTree } from './copy-tree.ts';

export type ContextOptions = {
  readonly name: string;
  readonly template: Template;
  readonly cwd: string;
  /** Relative to `cwd`. */
  readonly handlerDir: string;
  /** Paths inside `cwd` that are copied below the handler folder. */
  readonly copyExtra: readonly string[];
};

export type BuildContext = {
  readonly dir: string;
  /** The folder in `dir` that holds the function's own files. */
  readonly handlerDir: string;
};

/** The directory of the function's own files. @throws invalid when there is none */
export const requireHandlerDir = async (cwd: string, handlerDir: string): Promise<string> => {
  if (handlerDir === '') throw new FaasError('invalid', 'handler: expected a folder, got nothing');
  const dir = resolve(cwd, handlerDir);
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory()) return dir;
  // Why where: the stack file may lie in another folder than the one it is read in.
  const reason = found ? 'is a file' : `does not exist${isAbsolute(handlerDir) ? '' : ` in ${cwd}`}`;
  throw new FaasError('invalid', `handler: expected a folder, got ${handlerDir}, which ${reason}`);
};

const isWithin = (root: string, path: string): boolean => {
  const inner = relative(root, path);
  return inner !== '' && inner !== '..' && !inner.startsWith(`..${sep}`) && !isAbsolute(inner);
};

const copyExtraPath = async (cwd: string, extra: string, handlerDir: string): Promise<void> => {
  const source = resolve(cwd, extra);
  const real = await realpath(source).catch((error: Error) => {
    throw new FaasError('invalid', `copy: ${extra}: expected an existing path`, { cause: error });
  });
  if (!isWithin(cwd, source) || !isWithin(await realpath(cwd), real)) {
    throw new FaasError('invalid', `copy: ${extra}: expected a path inside the project ${cwd}, and not the project itself`);
  }
  const target = join(handlerDir, relative(cwd, source));
  if ((await stat(real)).isDirectory()) {
    await mkdir(target, { recursive: true });
    await copyTree(source, target);
    return;
  }
  await mkdir(join(target, '..'), { recursive: true });
  const name = basename(source);
  await copyTree(join(source, '..'), join(target, '..'), (path) => path !== name);
};

/** Packages are installed again from package.json; without one, a folder of packages is the function's own. */
const skipsPackages = async (source: string): Promise<boolean> =>
  stat(join(source, 'package.json')).then(
    () => true,
    () => false,
  );

/** @throws invalid when the handler folder is missing, or a copied path lies outside the project */
export const createContext = async (options: ContextOptions): Promise<BuildContext> => {
  const { cwd, template } = options;
  const source = await requireHandlerDir(cwd, options.handlerDir);
  const dir = join(cwd, 'build', options.name);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // A function of lang dockerfile has no template.
  if (template.dir !== '') await copyTree(template.dir, dir);
  const handlerDir = join(dir, template.handlerFolder);
  await mkdir(handlerDir, { recursive: true });
  const skipped = new Set(['build', 'template', '.secrets', ...((await skipsPackages(source)) ? ['node_modules'] : [])]);
  await copyTree(source, handlerDir, (path) => skipped.has(path));
  for (const extra of options.copyExtra) await copyExtraPath(cwd, extra, handlerDir);
  return { dir, handlerDir };
};

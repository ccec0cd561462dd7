// What `sluice new` does on disk: the handler folder, the stack file and the lines in .gitignore. Either all of it is
// there in the end or nothing is.
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import { checkLabelName } from '../../provider/types/name.ts';
import { splitImage } from '../build/image-name.ts';
import { findTemplate, type Template } from './find.ts';
import { withIgnoredLines } from './gitignore.ts';
import { appendedStackText, checkAppend, type NewFunction, newStackText, type Quantities } from './stack-text.ts';

export type ScaffoldOptions = {
  readonly name: string;
  readonly lang: string;
  readonly cwd: string;
  readonly builtinDir: string;
  /** Relative to `cwd`; the function's name when absent. */
  readonly handlerDir?: string | undefined;
  /** File to make; a file that is there is refused. `stack.yaml` when absent. */
  readonly stackFile?: string | undefined;
  /** Existing stack file that gets one more function, instead of a new file. */
  readonly append?: string | undefined;
  /** Put before the image's name, such as `registry.example.com/team`. */
  readonly prefix?: string | undefined;
  readonly gateway: string;
  readonly requests?: Quantities | undefined;
  readonly limits?: Quantities | undefined;
};

export type Scaffolded = {
  /** Relative to `cwd`. */
  readonly handlerDir: string;
  readonly stackFile: string;
  /** Every path that was made or changed, relative to `cwd`. */
  readonly created: readonly string[];
  readonly image: string;
  readonly template: Template;
  readonly welcomeMessage: string | undefined;
};

const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** The stack file that a command without `-f` reads, when there is one. */
const discoveredStack = async (cwd: string): Promise<string | undefined> => {
  for (const name of ['stack.yaml', 'stack.yml']) if (await exists(join(cwd, name))) return name;
  return undefined;
};

const readAppendTarget = async (cwd: string, file: string, name: string): Promise<string> => {
  if (!/\.ya?ml$/.test(file)) throw new FaasError('invalid', `--append: expected a file that ends in .yml or .yaml, got ${file}`);
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: Error) => {
    throw new FaasError('invalid', `--append: ${file}: expected an existing stack file: ${error.message}`, { cause: error });
  });
  checkAppend(file, text, name);
  return text;
};

const checkTargets = async (options: ScaffoldOptions, handler: string, stackFile: string): Promise<void> => {
  if (await exists(resolve(options.cwd, handler))) {
    throw new FaasError('conflict', `--handler: ${handler} exists already; choose another name or remove it`);
  }
  if (options.append === undefined && (await exists(resolve(options.cwd, stackFile)))) {
    throw new FaasError('conflict', `${stackFile} exists already; add the function to it with --append ${stackFile}`);
  }
};

const written = (path: string): string => {
  const clean = posix.normalize(path.split(sep).join('/')).replace(/\/$/, '');
  return isAbsolute(clean) || clean.startsWith('../') ? clean : `./${clean}`;
};

/** Makes the missing parents of `path`. Returns the topmost one it made. */
const makeParents = (path: string): Promise<string | undefined> => mkdir(dirname(path), { recursive: true });

const copyHandler = async (template: Template, target: string): Promise<void> => {
  const source = join(template.dir, template.handlerFolder);
  const isFolder = await stat(source).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new FaasError('invalid', `${source}: expected the sample handler of template ${template.name}`);
  await cp(source, target, { recursive: true, verbatimSymlinks: true });
  await chmod(target, 0o700);
};

/** Replaces a file at once, so that a crash leaves the old or the new one; keeps the mode of the old. */
const replaceFile = async (path: string, text: string): Promise<void> => {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o644,
  );
  const partial = `${path}.${randomUUID()}`;
  try {
    await writeFile(partial, text, { mode, flag: 'wx' });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

const updateGitignore = async (cwd: string): Promise<boolean> => {
  const path = join(cwd, '.gitignore');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const updated = withIgnoredLines(text);
  if (updated === undefined) return false;
  await replaceFile(path, updated);
  return true;
};

type Plan = {
  readonly handler: string;
  readonly stackFile: string;
  readonly stackText: string;
  readonly before: string | undefined;
};

const act = async (options: ScaffoldOptions, template: Template, plan: Plan): Promise<string[]> => {
  const target = resolve(options.cwd, plan.handler);
  const stackPath = resolve(options.cwd, plan.stackFile);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const parent = await makeParents(target);
    if (parent !== undefined) undo.push(() => rm(parent, { recursive: true, force: true }));
    const staged = `${target}.${randomUUID()}`;
    undo.push(() => rm(staged, { recursive: true, force: true }));
    await copyHandler(template, staged);
    await rename(staged, target);
    undo.push(() => rm(target, { recursive: true, force: true }));
    if (plan.before === undefined) {
      await writeFile(stackPath, plan.stackText, { mode: 0o600, flag: 'wx' });
      undo.push(() => rm(stackPath, { force: true }));
    } else {
      await replaceFile(stackPath, plan.stackText);
      const before = plan.before;
      undo.push(() => replaceFile(stackPath, before));
    }
    const ignored = await updateGitignore(options.cwd);
    return [plan.handler, plan.stackFile, ...(ignored ? ['.gitignore'] : [])];
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
};

/**
 * @throws invalid for a bad name, unknown template or unusable append target; conflict when the folder, the stack file or
 *   the function's entry is there already. Nothing is left behind then.
 */
export const scaffold = async (options: ScaffoldOptions): Promise<Scaffolded> => {
  const { name, cwd, append } = options;
  checkLabelName('name', name);
  const template = await findTemplate(options.lang, { cwd, builtinDir: options.builtinDir });
  const before = append === undefined ? undefined : await readAppendTarget(cwd, append, name);
  const stackFile = append ?? options.stackFile ?? (await discoveredStack(cwd)) ?? 'stack.yaml';
  const handler = options.handlerDir ?? name;
  await checkTargets(options, handler, stackFile);
  const prefix = (options.prefix ?? '').replace(/\/+$/, '');
  const image = `${prefix === '' ? '' : `${prefix}/`}${name}:latest`;
  splitImage(image);
  const spec: NewFunction = {
    name,
    lang: template.requested,
    handler: written(isAbsolute(handler) ? handler : relative(cwd, resolve(cwd, handler))),
    image,
    ...(options.requests === undefined ? {} : { requests: options.requests }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
  const stackText = before === undefined ? newStackText(options.gateway, spec) : appendedStackText(stackFile, before, spec);
  const created = await act(options, template, { handler, stackFile, stackText, before });
  return { handlerDir: handler, stackFile, created, image, template, welcomeMessage: template.config.welcome_message };
};

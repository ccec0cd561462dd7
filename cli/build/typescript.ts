// Checks a function's TypeScript and turns it into JavaScript in its build context. Types are stripped here, never when
// the function is loaded.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import { type TreeEntry, walkTree } from './files.ts';
import { rewriteImportPaths } from './import-paths.ts';
import { run } from './run.ts';

export type TypeScriptOptions = {
  /** The handler's folder in the build context, with its tsconfig.json. */
  readonly dir: string;
  /** What the function calls that folder, put before the paths in messages. */
  readonly label: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
};

const compilerPath = (): string => join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** `handler.ts(3,7): error TS2322: …` as `./greet/handler.ts:3:7: error TS2322: …`, which terminals and editors link. */
const readable = (label: string, line: string): string => {
  const match = /^(\S.*?)\((\d+),(\d+)\): (.*)$/.exec(line);
  return match === null ? line : `${join(label, match[1] ?? '')}:${match[2]}:${match[3]}: ${match[4]}`;
};

/** @throws invalid with every mistake as file:line:column */
export const checkTypes = async (options: TypeScriptOptions): Promise<void> => {
  const { dir, label, env, signal } = options;
  // Whatever tsconfig.json says: what stripping cannot do is an error with a place here, not one without later.
  const strippable = ['--erasableSyntaxOnly', '--verbatimModuleSyntax'];
  const args = [compilerPath(), '-p', dir, '--noEmit', '--pretty', 'false', ...strippable];
  const result = await run(process.execPath, args, {
    cwd: dir,
    env,
    signal,
  });
  if (result.code === 0) return;
  const lines = result.output.trim().split('\n');
  const mistakes = lines.filter((line) => /(?:^| )error TS\d+: /.test(line)).length;
  const title = mistakes === 1 ? '1 type error' : `${mistakes} type errors`;
  throw new FaasError('invalid', `${label}: ${title}\n${lines.map((line) => readable(label, line)).join('\n')}`);
};

/** Runs `act` without the warning that Node.js prints once for an API it calls experimental. */
const withoutExperimentalWarning = <Result>(act: () => Result): Result => {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return act();
  } finally {
    process.emitWarning = emitWarning;
  }
};

const strip = (path: string, source: string): string => {
  try {
    return withoutExperimentalWarning(() => stripTypeScriptTypes(source, { mode: 'strip' }));
  } catch (error) {
    throw new FaasError('invalid', `${path}: ${(error as Error).message}`, { cause: error });
  }
};

const compileFile = async (options: TypeScriptOptions, entry: TreeEntry, present: ReadonlySet<string>): Promise<void> => {
  const path = join(options.dir, entry.path);
  const shown = join(options.label, entry.path);
  if (/\.d\.[mc]?ts$/.test(entry.path)) {
    await rm(path);
    return;
  }
  const compiled = entry.path.replace(/ts$/, 'js');
  if (present.has(compiled)) {
    throw new FaasError('invalid', `${shown}: ${join(options.label, compiled)} is there too; keep one of them`);
  }
  const code = rewriteImportPaths(strip(shown, await readFile(path, 'utf8')));
  await writeFile(join(options.dir, compiled), code);
  await rm(path);
};

/**
 * Replaces every .ts file in the folder by the .js file of the same lines and columns; declarations and tsconfig.json go.
 * @throws invalid for syntax that cannot be erased, for .tsx, and where a .js file is in the way
 */
export const compileTypeScript = async (options: TypeScriptOptions): Promise<void> => {
  const entries = await walkTree(options.dir, (path) => /(^|\/)node_modules$/.test(path));
  const files = entries.filter((entry) => entry.kind === 'file');
  const jsx = files.find((entry) => entry.path.endsWith('.tsx'));
  if (jsx !== undefined) throw new FaasError('invalid', `${join(options.label, jsx.path)}: expected .ts, JSX is not supported`);
  const present = new Set(files.map((entry) => entry.path));
  for (const entry of files) if (/\.[mc]?ts$/.test(entry.path)) await compileFile(options, entry, present);
  await rm(join(options.dir, 'tsconfig.json'), { force: true });
};

/** A handler's label for messages: relative to where the command runs, with `./` before it. */
export const labelOf = (cwd: string, dir: string): string => {
  const path = relative(cwd, dir);
  return path.startsWith('..') || path === '' ? dir : path;
};

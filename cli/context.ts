// Everything that a command may touch, so that a test can run the whole program inside its own process.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export type Context = {
  readonly env: Environment;
  readonly cwd: string;
  readonly home: string;
  readonly stdin: Input;
  /** Results; what a script reads. */
  readonly stdout: Output;
  /** Progress, hints, warnings and errors. */
  readonly stderr: Output;
  /** Aborted when the user asks the program to stop. */
  readonly signal: AbortSignal;
  /** Where the package lies: package.json, templates/, dist/. */
  readonly packageRoot: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
};

const findPackageRoot = (): string => {
  // Sources run from cli/, the compiled program from dist/cli/.
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) return directory;
    directory = parent;
  }
  return directory;
};

export const processContext = (signal: AbortSignal): Context => ({
  env: process.env,
  cwd: process.cwd(),
  home: process.env.HOME || homedir(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal,
  packageRoot: findPackageRoot(),
  now: Date.now,
  sleep: async (ms, stop) => {
    await delay(ms, undefined, stop === undefined ? {} : { signal: stop });
  },
});

/** The directory of the templates that ship with the package. */
export const builtinTemplates = (ctx: Context): string => join(ctx.packageRoot, 'templates');

const readField = (file: string, name: string): string => {
  const value = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : 'unknown';
};

/** The version in package.json. */
export const releaseOf = (ctx: Context): string => readField(join(ctx.packageRoot, 'package.json'), 'version');

/** The commit that the program was built from, as far as the build could tell. */
export const commitOf = (ctx: Context): string => {
  const file = join(ctx.packageRoot, 'dist', 'build.json');
  return existsSync(file) ? readField(file, 'sha') : 'unknown';
};

// Installs a function's npm packages, once, at build: what runs later never resolves anything. The result is kept below
// ./build/.cache and used again as long as the package files and Node.js are the same.
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { FaasError } from '../../provider/types/errors.ts';
import { describeIssues } from '../../provider/types/validate.ts';
import { run } from './run.ts';

export type InstallOptions = {
  /** Folder with package.json; gets node_modules. */
  readonly dir: string;
  /** What the function calls that folder, for messages. */
  readonly label: string;
  /** `all` has the development dependencies too, for type checks and tests. */
  readonly scope: 'production' | 'all';
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

const packages = z.record(z.string(), z.string()).optional();
const PackageFile = z.looseObject({
  dependencies: packages,
  optionalDependencies: packages,
  devDependencies: packages,
  scripts: packages,
  workspaces: z.unknown().optional(),
});
type PackageFile = z.infer<typeof PackageFile>;

const lockFiles = ['npm-shrinkwrap.json', 'package-lock.json'] as const;
const keptInstallations = 4;

const readOptional = async (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

const parsePackageFile = (label: string, text: string): PackageFile => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FaasError('invalid', `${label}/package.json: expected JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = PackageFile.safeParse(value);
  if (result.success) return result.data;
  throw new FaasError('invalid', `${label}/package.json: ${describeIssues(result.error, value, 'package.json')}`);
};

const wanted = (file: PackageFile, scope: InstallOptions['scope']): string[] => [
  ...Object.values(file.dependencies ?? {}),
  ...Object.values(file.optionalDependencies ?? {}),
  ...(scope === 'all' ? Object.values(file.devDependencies ?? {}) : []),
];

/** True when the package files alone decide what is installed: no packages from folders, no scripts of the function's own. */
const isReusable = (file: PackageFile, versions: readonly string[]): boolean =>
  file.workspaces === undefined &&
  !versions.some((version) => /^(file:|link:|\.{0,2}\/|~\/)/.test(version)) &&
  !['preinstall', 'install', 'postinstall', 'prepare'].some((script) => file.scripts?.[script] !== undefined);

/** npm runs under the Node.js that will run the function, so that what it compiles fits. */
export const npmEnvironment = (env: InstallOptions['env']): Record<string, string | undefined> => ({
  ...env,
  PATH: [dirname(process.execPath), env.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
  // Its words are shown only when it fails, and then they are all there is; `npm run --silent` hands this setting down.
  ...(env.npm_config_loglevel === 'silent' ? { npm_config_loglevel: 'error' } : {}),
});

const installArguments = (hasLock: boolean, scope: InstallOptions['scope']): string[] => [
  // Without a lock file npm would write one, which a build with the packages of an earlier one would not have.
  ...(hasLock ? ['ci'] : ['install', '--no-package-lock']),
  ...(scope === 'production' ? ['--omit=dev'] : ['--include=dev']),
  '--no-audit',
  '--no-fund',
];

const runNpm = async (options: InstallOptions, args: readonly string[]): Promise<void> => {
  const result = await run('npm', args, { cwd: options.dir, env: npmEnvironment(options.env), signal: options.signal });
  if (result.code === 0) return;
  throw new FaasError(
    'invalid',
    `${options.label}: npm ${args.join(' ')} failed with exit code ${result.code}:\n${result.output.trim()}`,
  );
};

const reuse = async (cached: string, target: string): Promise<boolean> => {
  const found = await stat(cached).catch(() => undefined);
  if (found === undefined) return false;
  await cp(cached, target, { recursive: true, verbatimSymlinks: true });
  const now = new Date();
  await utimes(cached, now, now);
  return true;
};

const dropOldest = async (cacheDir: string): Promise<void> => {
  const names = (await readdir(cacheDir)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(cacheDir, name))).mtimeMs })));
  const old = aged.sort((a, b) => b.at - a.at).slice(keptInstallations);
  for (const { name } of old) await rm(join(cacheDir, name), { recursive: true, force: true });
};

const keep = async (installed: string, cacheDir: string, key: string): Promise<void> => {
  await mkdir(cacheDir, { recursive: true });
  const partial = join(cacheDir, `partial-${randomUUID()}`);
  try {
    await cp(installed, partial, { recursive: true, verbatimSymlinks: true });
    await rename(partial, join(cacheDir, key));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Why not an error: another build of the same function was faster.
    if (!['ENOTEMPTY', 'EEXIST'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
  await dropOldest(cacheDir);
};

/**
 * Resolves to false when there was nothing to install.
 * @throws invalid with npm's own output when the installation fails, or when package.json is no package file
 */
export const installDependencies = async (options: InstallOptions): Promise<boolean> => {
  const { dir, cacheDir } = options;
  const text = await readOptional(join(dir, 'package.json'));
  if (text === undefined) return false;
  const file = parsePackageFile(options.label, text);
  const scope = Object.keys(file.devDependencies ?? {}).length === 0 ? 'production' : options.scope;
  const versions = wanted(file, scope);
  if (versions.length === 0) return false;
  let lock: string | undefined;
  for (const name of lockFiles) lock ??= await readOptional(join(dir, name));
  const npmrc = await readOptional(join(dir, '.npmrc'));
  const parts = [scope, process.version, process.platform, process.arch, text, lock ?? '', npmrc ?? ''];
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const target = join(dir, 'node_modules');
  await rm(target, { recursive: true, force: true });
  const reusable = isReusable(file, versions);
  if (reusable && (await reuse(join(cacheDir, key), target))) {
    options.log(`${options.label}: packages unchanged, using those of the last build`);
    return true;
  }
  const args = installArguments(lock !== undefined, scope);
  options.log(`${options.label}: npm ${args.join(' ')}`);
  await runNpm(options, args);
  if (reusable && (await stat(target).catch(() => undefined)) !== undefined) await keep(target, cacheDir, key);
  return true;
};

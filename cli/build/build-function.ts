// Builds one function: template and handler become ./build/<name>/, its dependencies are installed, TypeScript is checked
// and stripped, and the result is packed into ./build/<name>.tar. `sluice build`, `up` and `gateway` call this.
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BundleConfig, formatBundleImage } from '../../provider/types/bundle.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { checkLabelName } from '../../provider/types/name.ts';
import { findTemplate, type Template } from '../templates/find.ts';
import { howToRun } from '../templates/how-to-run.ts';
import type { SluiceSection } from '../templates/template-config.ts';
import { type BuildContext, createContext, requireHandlerDir } from './context.ts';
import { installDependencies, npmEnvironment } from './dependencies.ts';
import { removeExcluded } from './exclude.ts';
import { type TreeEntry, walkTree } from './files.ts';
import { createImageFacts } from './image-facts.ts';
import { imageName } from './image-name.ts';
import { packBundle } from './pack.ts';
import { installPythonPackages, type PythonPackages } from './python-packages.ts';
import { run } from './run.ts';
import { checkTypes, compileTypeScript, labelOf } from './typescript.ts';

export type BuildOptions = {
  readonly name: string;
  readonly lang: string;
  /** Relative to `cwd`. */
  readonly handlerDir: string;
  /** `name[:tag]`, without a digest. */
  readonly image: string;
  /** latest, sha, branch, describe or digest. */
  readonly tag?: string | undefined;
  /** In the environment of package installations, as ARG lines are in a Dockerfile. */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  /** Names from the template's build_options. */
  readonly buildOptions?: readonly string[] | undefined;
  readonly copyExtra?: readonly string[] | undefined;
  readonly cwd: string;
  readonly builtinTemplatesDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Run the function's tests and fail when they do. */
  readonly test?: boolean | undefined;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

export type BuiltFunction = {
  /** `name:tag@sha256:<digest>`. */
  readonly image: string;
  readonly digest: string;
  /** Absolute path of the tar. */
  readonly file: string;
  readonly bytes: number;
  readonly config: BundleConfig;
};

type Prepared = {
  readonly template: Template;
  readonly section: SluiceSection;
  readonly context: BuildContext;
  /** The function's folder as its user knows it. */
  readonly label: string;
};

const checkBuildOptions = (template: Template, chosen: readonly string[], log: (line: string) => void): void => {
  const known = template.config.build_options.map((option) => option.name);
  for (const name of chosen) {
    if (!known.includes(name)) {
      const list = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
      throw new FaasError(
        'invalid',
        `build_options: ${JSON.stringify(name)} is not in ${join(template.dir, 'template.yml')}; ${list}`,
      );
    }
    const packages = template.config.build_options.find((option) => option.name === name)?.packages ?? [];
    if (packages.length > 0)
      log(`build option ${name}: a bundle has no system packages, this machine needs ${packages.join(' ')}`);
  }
};

const contextOf = (options: BuildOptions, template: Template): Promise<BuildContext> =>
  createContext({
    name: options.name,
    template,
    cwd: options.cwd,
    handlerDir: options.handlerDir,
    copyExtra: options.copyExtra ?? [],
  });

const prepare = async (options: BuildOptions): Promise<Prepared> => {
  const { cwd, name, log } = options;
  checkLabelName('name', name);
  const template = await findTemplate(options.lang, { cwd, builtinDir: options.builtinTemplatesDir });
  if (template.requested !== template.name)
    log(`${name}: lang ${template.requested} uses the built-in template ${template.name}`);
  const section = await howToRun(template);
  checkBuildOptions(template, options.buildOptions ?? [], log);
  return {
    template,
    section,
    context: await contextOf(options, template),
    label: labelOf(cwd, resolve(cwd, options.handlerDir)),
  };
};

/**
 * Only makes the build context and returns its directory.
 * @throws invalid as buildFunction
 */
export const shrinkwrapFunction = async (options: BuildOptions): Promise<string> => (await prepare(options)).context.dir;

const runTests = async (options: BuildOptions, { section, context, label }: Prepared): Promise<void> => {
  if (section.test === undefined) {
    options.log(`${label}: the template names no test command`);
    return;
  }
  const [command, ...args] = section.test.split(' ');
  options.log(`${label}: ${section.test}`);
  const env = npmEnvironment(options.env);
  const result = await run(command ?? '', args, { cwd: context.handlerDir, env, signal: options.signal });
  if (result.code === 0) return;
  throw new FaasError('invalid', `${label}: tests failed with exit code ${result.code}:\n${result.output.trim()}`);
};

/** Turns the context into what will run: checked, with production packages only, nothing left to compile. */
const assemble = async (options: BuildOptions, prepared: Prepared): Promise<PythonPackages> => {
  const { context, section, template, label } = prepared;
  const common = {
    cacheDir: join(options.cwd, 'build', '.cache', options.name),
    env: { ...options.env, ...options.buildArgs },
    log: options.log,
    signal: options.signal,
  };
  const function_ = { ...common, dir: context.handlerDir, label };
  if (options.test === true) {
    await installDependencies({ ...function_, scope: 'all' });
    await runTests(options, prepared);
    // What tests leave behind is no part of the function.
    await contextOf(options, template);
  }
  await removeExcluded(context.handlerDir, section.exclude ?? []);
  if (section.compile === 'typescript') {
    const hasPackages = await installDependencies({ ...function_, scope: 'all' });
    await checkTypes(function_);
    if (hasPackages) await rm(join(context.handlerDir, 'node_modules'), { recursive: true, force: true });
    await compileTypeScript(function_);
  }
  await installDependencies({ ...function_, scope: 'production' });
  await installDependencies({ ...common, dir: context.dir, label: `template ${template.name}`, scope: 'production' });
  return installPythonPackages({ ...common, dir: context.dir, handlerDir: context.handlerDir, label });
};

/** What a builder needs and a running function does not. */
const buildFiles = new Set(['template.yml', 'meta.json', 'Dockerfile', '.dockerignore']);

const bundledEntries = (dir: string): Promise<TreeEntry[]> =>
  walkTree(dir, (path) => buildFiles.has(path) || /(^|\/)(node_modules\/(\.package-lock\.json|\.cache)|__pycache__)$/.test(path));

const toConfig = (
  section: SluiceSection,
  template: Template,
  entries: readonly TreeEntry[],
  more: Readonly<Record<string, string>>,
): BundleConfig => {
  const environment = { ...more, ...section.environment };
  const hasAddOn = entries.some((entry) => entry.kind === 'file' && entry.path.endsWith('.node'));
  const isNative = hasAddOn || entries.some((entry) => entry.kind === 'file' && /\.so(\.\d+)*$/.test(entry.path));
  return {
    version: 1,
    language: template.name,
    mode: section.mode,
    ...(section.mode === 'inproc' && section.handler !== undefined ? { handler: section.handler } : {}),
    ...(section.mode !== 'inproc' && section.fprocess !== undefined ? { fprocess: section.fprocess } : {}),
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(isNative ? { platform: `${process.platform}-${process.arch}` } : {}),
    ...(hasAddOn ? { abi: process.versions.modules } : {}),
  };
};

const checkHandler = async (section: SluiceSection, context: BuildContext, label: string): Promise<void> => {
  if (section.mode !== 'inproc' || section.handler === undefined) return;
  const found = await stat(join(context.dir, section.handler)).catch(() => undefined);
  if (found?.isFile()) return;
  throw new FaasError('invalid', `${label}: expected the handler ${section.handler} in the built function, there is none`);
};

/**
 * The same input gives the same digest, wherever and whenever it is built.
 * @throws invalid with what is wrong in the function: unknown template, missing folder, failed installation, type errors
 *   as file:line:column, failed tests, links that leave the function
 */
export const buildFunction = async (options: BuildOptions): Promise<BuiltFunction> => {
  const handlerDir = await requireHandlerDir(options.cwd, options.handlerDir);
  const name = await imageName(options.image, options.tag, createImageFacts(options.cwd, handlerDir, options.env));
  const prepared = await prepare(options);
  const { section, template, context, label } = prepared;
  const python = await assemble(options, prepared);
  options.signal?.throwIfAborted();
  await checkHandler(section, context, label);
  const entries = await bundledEntries(context.dir);
  const config = toConfig(section, template, entries, python.environment);
  const file = join(options.cwd, 'build', `${options.name}.tar`);
  const { digest, bytes } = await packBundle(context.dir, entries, config, file, options.signal);
  return { image: formatBundleImage({ name, digest }), digest, file, bytes, config };
};

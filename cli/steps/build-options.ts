// The flags of `build` that `up` has too, and one build by them.
import { type Command, Option } from 'commander';
import type { BuildOptions as Build, BuiltFunction } from '../build/build-function.ts';
import { builtinTemplates, type Context } from '../context.ts';
import { addList, addSwitch } from '../options.ts';
import { parsePairs } from '../stack/pairs.ts';
import type { StackFunction } from '../stack/stack.ts';

export type BuildOptions = {
  readonly shrinkwrap: boolean;
  readonly test: boolean;
  readonly quiet: boolean;
  readonly tag?: string;
  readonly buildArg: readonly string[];
  readonly buildOption: readonly string[];
  readonly copyExtra: readonly string[];
};

/** What concerns Docker or downloaded templates, with its default: taken for scripts, said to have no effect. */
const withoutEffect: Readonly<Record<string, boolean>> = {
  '--cache': true,
  '--squash': false,
  '--pull': false,
  '--disable-stack-pull': false,
  '--overwrite': true,
  '--debug': false,
};

export const buildOptions = (command: Command): Command => {
  addSwitch(command, '--shrinkwrap', 'only write the build directory ./build/<name>');
  addSwitch(command, '--test', "run the functions' own tests and stop when they fail");
  addSwitch(command, '--quiet', 'do not show the output of the build');
  addList(command, '-b, --build-arg <key=value>', 'environment of package installations; repeatable');
  addList(command, '-o, --build-option <name>', 'build option of the template; repeatable');
  addList(command, '--copy-extra <path>', 'extra file or folder for every function; repeatable');
  for (const [flag, preset] of Object.entries(withoutEffect)) {
    addSwitch(command, flag, '', preset);
    command.options.find((option) => option.long === flag)?.hideHelp();
  }
  return command.addOption(new Option('--build-label <key=value>').hideHelp());
};

/** Says which flags of this run do nothing here. */
export const warnWithoutEffect = (ctx: Context, command: Command): void => {
  for (const option of command.options) {
    const preset = withoutEffect[option.long ?? ''];
    const isOne = preset !== undefined || option.long === '--build-label';
    if (!isOne || command.getOptionValue(option.attributeName()) === preset) continue;
    const flag = preset === true ? `${option.long}=false` : option.long;
    ctx.stderr.write(`warning: ${flag} has no effect: functions are built into bundles, without Docker\n`);
  }
};

export type BuildRequest = {
  readonly fn: StackFunction;
  /** `configuration.copy` of the stack. */
  readonly copy: readonly string[];
  readonly options: BuildOptions;
  readonly log: (line: string) => void;
};

export const toBuild = (ctx: Context, { fn, copy, options, log }: BuildRequest): Build => ({
  name: fn.name,
  lang: fn.lang,
  handlerDir: fn.handler,
  image: fn.image || fn.name,
  tag: options.tag,
  buildArgs: { ...fn.buildArgs, ...parsePairs('--build-arg', options.buildArg) },
  buildOptions: [...new Set([...fn.buildOptions, ...options.buildOption])],
  copyExtra: [...new Set([...copy, ...options.copyExtra])],
  cwd: ctx.cwd,
  builtinTemplatesDir: builtinTemplates(ctx),
  env: ctx.env,
  test: options.test,
  log: options.quiet ? () => undefined : log,
  signal: ctx.signal,
});

/** @throws invalid with what is wrong in the function */
export const buildOne = async (ctx: Context, request: BuildRequest): Promise<BuiltFunction> => {
  const { buildFunction } = await import('../build/build-function.ts');
  return buildFunction(toBuild(ctx, request));
};

/** Resolves to the build directory. @throws invalid */
export const shrinkwrapOne = async (ctx: Context, request: BuildRequest): Promise<string> => {
  const { shrinkwrapFunction } = await import('../build/build-function.ts');
  return shrinkwrapFunction(toBuild(ctx, request));
};

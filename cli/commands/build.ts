// sluice build
import type { Command } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';
import { type GlobalOptions, type OutputOption, type StackOption, wantsJson } from '../options.ts';
import { writeJson } from '../output/json.ts';
import { createProgress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack } from '../stack/find.ts';
import type { StackFunction } from '../stack/stack.ts';
import { functionOfFlags } from '../stack/to-deployment.ts';
import { type BuildOptions, buildOne, buildOptions, shrinkwrapOne, warnWithoutEffect } from '../steps/build-options.ts';
import { manyOptions } from '../steps/deploy-options.ts';
import { reportFailures } from '../steps/report.ts';
import { runAll } from '../steps/run-all.ts';

type Options = GlobalOptions &
  OutputOption &
  StackOption &
  BuildOptions & {
    readonly parallel: number;
    readonly image?: string;
    readonly name?: string;
    readonly lang?: string;
    readonly handler?: string;
  };

type Work = { readonly functions: readonly StackFunction[]; readonly copy: readonly string[] };

type Built = { readonly name: string; readonly image?: string; readonly file?: string; readonly directory?: string };

const fromFlags = (options: Options): StackFunction => {
  const { image, handler, name, lang } = options;
  for (const [flag, value] of Object.entries({ image, handler, name, lang })) {
    if (!value) {
      throw new FaasError('invalid', `nothing to build: expected a stack file (-f stack.yaml), or --${flag} and its companions`);
    }
  }
  return functionOfFlags({ name: name ?? '', image: image ?? '', lang: lang ?? '', handler: handler ?? '' });
};

const pick = async (ctx: Context, options: Options): Promise<Work> => {
  const single = options.image !== undefined && options.yaml === undefined;
  const stack = single ? undefined : await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) return { functions: [fromFlags(options)], copy: stack?.copy ?? [] };
  return stack;
};

const build = async (ctx: Context, command: Command): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  warnWithoutEffect(ctx, command);
  const { functions, copy } = await pick(ctx, options);
  const wanted = functions.filter((fn) => !fn.skipBuild);
  for (const fn of functions) if (fn.skipBuild) ctx.stderr.write(`${fn.name}: skip_build is set\n`);
  const names = wanted.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const outcomes = await runAll(wanted, options.parallel, async (fn): Promise<Built> => {
    const request = { fn, copy, options, log: (line: string) => progress.line(fn.name, line) };
    progress.step(fn.name, 'building');
    try {
      if (options.shrinkwrap) {
        const directory = await shrinkwrapOne(ctx, request);
        progress.done(fn.name, 'written');
        return { name: fn.name, directory };
      }
      const { image, file, bytes } = await buildOne(ctx, request);
      progress.done(fn.name, `built, ${Math.ceil(bytes / 1024)} KiB`);
      return { name: fn.name, image, file };
    } catch (error) {
      progress.failed(fn.name, 'failed');
      throw error;
    }
  }).finally(progress.close);
  const built = outcomes.flatMap((each) => (each.ok ? [each.result] : []));
  if (wantsJson(options)) writeJson(ctx.stdout, built);
  else for (const each of built) ctx.stdout.write(`${each.image ?? each.directory}\n`);
  reportFailures(ctx, outcomes);
};

export const define: Define = (command, ctx) => {
  command
    .option('--image <image>', 'build without a stack file: name of the image')
    .option('--handler <dir>', 'build without a stack file: folder of the handler')
    .option('--name <name>', 'build without a stack file: name of the function')
    .option('--lang <lang>', 'build without a stack file: template');
  buildOptions(manyOptions(command));
  command.action(() => build(ctx, command));
};

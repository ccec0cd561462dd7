// sluice build
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { type GlobalOptions, type OutputOption, type StackOption, wantsJson } from '../options.ts';
import { writeJson } from '../output/json.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack, nothingTo } from '../stack/find.ts';
import type { Stack, StackFunction } from '../stack/stack.ts';
import { functionOfFlags } from '../stack/to-deployment.ts';
import { type BuildOptions, buildOne, buildOptions, shrinkwrapOne, toBuild, warnWithoutEffect } from '../steps/build-options.ts';
import { manyOptions } from '../steps/deploy-options.ts';
import { type ImageOptions, imageOptions, type PackagingOption, packagingOption } from '../steps/image-options.ts';
import { createImager, type Imager, withPrefix } from '../steps/imager.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportFailures } from '../steps/report.ts';
import { runAll } from '../steps/run-all.ts';

type Options = GlobalOptions &
  OutputOption &
  StackOption &
  BuildOptions &
  ImageOptions &
  PackagingOption & {
    readonly oci?: string;
    readonly parallel: number;
    readonly image?: string;
    readonly name?: string;
    readonly lang?: string;
    readonly handler?: string;
  };

type Work = { readonly functions: readonly StackFunction[]; readonly copy: readonly string[] };

type Built = { readonly name: string; readonly image?: string; readonly file?: string; readonly directory?: string };

const fromFlags = (options: Options, stack: Stack | undefined): StackFunction => {
  const { image, handler, name, lang } = options;
  for (const [flag, value] of Object.entries({ image, handler, name, lang })) {
    if (!value) throw nothingTo('build', stack, `expected a stack file (-f stack.yaml), or --${flag} and its companions`);
  }
  return functionOfFlags({ name: name ?? '', image: image ?? '', lang: lang ?? '', handler: handler ?? '' });
};

const pick = async (ctx: Context, options: Options): Promise<Work> => {
  const single = options.image !== undefined && options.yaml === undefined;
  const stack = single ? undefined : await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0)
    return { functions: [fromFlags(options, stack)], copy: stack?.copy ?? [] };
  return stack;
};

type Run = { readonly ctx: Context; readonly options: Options; readonly copy: readonly string[]; readonly progress: Progress };

const isDockerfileLang = (fn: StackFunction): boolean => fn.lang.toLowerCase() === 'dockerfile';

/** Why not every template that has a Dockerfile: many of OpenFaaS's run from a bundle just as well. */
const isDockerfile = async (fn: StackFunction, options: Options, imager: Imager): Promise<boolean> =>
  options.packaging !== 'bundle' &&
  (isDockerfileLang(fn) || (options.packaging === 'image' && (await imager.needsDockerfile(fn))));

/** The image's name as `push` will write it, still without a digest. */
const tagOf = async ({ ctx, options }: Run, fn: StackFunction): Promise<string> =>
  withPrefix(await nameImage(ctx, fn, options.tag), ctx.env.OPENFAAS_PREFIX);

/** @param imager present when anything of this run becomes an image */
const buildFunction = async (run: Run, fn: StackFunction, imager: Imager | undefined): Promise<Built> => {
  const { ctx, options, copy, progress } = run;
  const request = { fn, copy, options, log: (line: string) => progress.line(fn.name, line) };
  progress.step(fn.name, 'building');
  if (options.shrinkwrap) {
    const directory = await shrinkwrapOne(ctx, request);
    progress.done(fn.name, 'written');
    return { name: fn.name, directory };
  }
  if (imager !== undefined && (await isDockerfile(fn, options, imager))) {
    const image = await tagOf(run, fn);
    await imager.buildDockerfile(toBuild(ctx, request), image);
    progress.done(fn.name, 'built');
    return { name: fn.name, image };
  }
  const built = await buildOne(ctx, request);
  const { image, file, bytes } = built;
  const size = `built, ${Math.ceil(bytes / 1024)} KiB in ${relative(ctx.cwd, file)}`;
  if (imager === undefined || options.oci === undefined) {
    // The digest of an image is not that of the bundle, and known when it is made.
    const wanted = options.packaging === 'image' ? await tagOf(run, fn) : image;
    progress.done(fn.name, size);
    return { name: fn.name, image: wanted, file };
  }
  progress.step(fn.name, 'writing the image');
  const directory = join(resolve(ctx.cwd, options.oci), fn.name);
  const written = await imager.write({ fn, image, bundle: built }, directory);
  progress.done(fn.name, size);
  return { name: fn.name, image: written, file, directory };
};

/** What the printed names are good for; nothing where a flag has settled it. */
const nextStep = (options: Options, built: readonly Built[]): string => {
  if (options.quiet || options.shrinkwrap || options.oci !== undefined) return '';
  if (!built.some((each) => each.file !== undefined)) return '';
  if (options.packaging === 'image')
    return '`sluice push --packaging image` makes the images and prints their names with digests\n';
  if (options.packaging === 'bundle') return '';
  return (
    'the digests are those of bundles: `sluice push` uploads them to a gateway that runs bundles; for one that runs images ' +
    'it makes an image of each and prints its name\n'
  );
};

const build = async (ctx: Context, command: Command): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  warnWithoutEffect(ctx, command);
  const { functions, copy } = await pick(ctx, options);
  const wanted = functions.filter((fn) => !fn.skipBuild);
  for (const fn of functions) if (fn.skipBuild) ctx.stderr.write(`${fn.name}: skip_build is set\n`);
  const makesImages = options.oci !== undefined || options.packaging === 'image' || wanted.some(isDockerfileLang);
  const imager = makesImages && !options.shrinkwrap ? await createImager(ctx, options) : undefined;
  const names = wanted.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const run: Run = { ctx, options, copy, progress };
  const outcomes = await runAll(wanted, options.parallel, async (fn): Promise<Built> => {
    try {
      return await buildFunction(run, fn, imager);
    } catch (error) {
      progress.failed(fn.name, 'failed');
      throw error;
    }
  }).finally(async () => {
    progress.close();
    await imager?.close();
  });
  const built = outcomes.flatMap((each) => (each.ok ? [each.result] : []));
  if (wantsJson(options)) writeJson(ctx.stdout, built);
  else for (const each of built) ctx.stdout.write(`${each.image ?? each.directory}\n`);
  ctx.stderr.write(nextStep(options, built));
  reportFailures(ctx, outcomes);
};

export const define: Define = (command, ctx) => {
  command
    .option('--image <image>', 'build without a stack file: name of the image')
    .option('--handler <dir>', 'build without a stack file: folder of the handler')
    .option('--name <name>', 'build without a stack file: name of the function')
    .option('--lang <lang>', 'build without a stack file: template');
  command.option('--oci <dir>', 'also write images, as OCI layouts <dir>/<name>');
  packagingOption(imageOptions(buildOptions(manyOptions(command))), 'bundles, and images of Dockerfiles');
  command.action(() => build(ctx, command));
};

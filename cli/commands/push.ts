// sluice push
import { uploadBundle } from '../client/bundles.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { findInfo } from '../client/info.ts';
import type { Context } from '../context.ts';
import {
  addSwitch,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type OutputOption,
  type StackOption,
  wantsJson,
} from '../options.ts';
import { writeJson } from '../output/json.ts';
import { createProgress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack, nothingTo } from '../stack/find.ts';
import type { Stack, StackFunction } from '../stack/stack.ts';
import { readBuiltBundle } from '../steps/built-bundle.ts';
import { packageOfBundle } from '../steps/deploy-function.ts';
import { manyOptions } from '../steps/deploy-options.ts';
import { type ImageOptions, imageOptions, type PackagingOption, packagingOption } from '../steps/image-options.ts';
import { createImager } from '../steps/imager.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportFailures } from '../steps/report.ts';
import { runAll } from '../steps/run-all.ts';

type Options = GlobalOptions &
  GatewayOptions &
  OutputOption &
  StackOption &
  ImageOptions &
  PackagingOption & { readonly parallel: number; readonly tag?: string };

type Pushed = { readonly image: string; readonly uploaded: boolean; readonly bytes: number };

/** How one function gets to where the gateway takes it from. */
type Push = { one(fn: StackFunction): Promise<Pushed>; close(): Promise<void> };

const pushBundles = (ctx: Context, client: Client, options: Options): Push => ({
  one: async (fn) => {
    const bundle = await readBuiltBundle(ctx.cwd, fn.name);
    const uploaded = await uploadBundle(client, bundle);
    return { image: packageOfBundle(await nameImage(ctx, fn, options.tag), bundle).image, uploaded, bytes: bundle.bytes };
  },
  close: async () => undefined,
});

const pushImages = async (ctx: Context, options: Options): Promise<Push> => {
  const imager = await createImager(ctx, options);
  return {
    one: async (fn) => {
      const image = await nameImage(ctx, fn, options.tag);
      const isTools = await imager.needsDockerfile(fn);
      const work = async () => imager.push({ fn, image, bundle: await readBuiltBundle(ctx.cwd, fn.name) });
      const pushed = isTools ? await imager.pushDockerfile(image) : await work();
      return { ...pushed, bytes: pushed.sentBytes };
    },
    close: imager.close,
  };
};

const choosePush = async (ctx: Context, options: Options, stack: Stack): Promise<Push> => {
  if (options.packaging === 'image') return pushImages(ctx, options);
  const client = await connect(ctx, { options, stackGateway: stack.gateway });
  // A gateway that says nothing of packaging is told by its answer to the upload.
  const packaging = options.packaging ?? (await findInfo(client))?.provider.capabilities?.packaging;
  return packaging === 'image' ? pushImages(ctx, options) : pushBundles(ctx, client, options);
};

const push = async (ctx: Context, options: Options): Promise<void> => {
  const stack = await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) {
    throw nothingTo('push', stack, 'expected a stack file with functions (-f stack.yaml)');
  }
  const wanted = stack.functions.filter((fn) => !fn.skipBuild);
  for (const fn of stack.functions) if (fn.skipBuild) ctx.stderr.write(`${fn.name}: skip_build is set\n`);
  const work = await choosePush(ctx, options, stack);
  const names = wanted.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const outcomes = await runAll(wanted, options.parallel, async (fn) => {
    progress.step(fn.name, 'uploading');
    try {
      const { image, uploaded, bytes } = await work.one(fn);
      progress.done(fn.name, uploaded ? `uploaded, ${Math.ceil(bytes / 1024)} KiB` : 'there already');
      return { name: fn.name, image, uploaded };
    } catch (error) {
      progress.failed(fn.name, 'failed');
      throw error;
    }
  }).finally(async () => {
    progress.close();
    await work.close();
  });
  const pushed = outcomes.flatMap((each) => (each.ok ? [each.result] : []));
  if (wantsJson(options)) writeJson(ctx.stdout, pushed);
  else for (const each of pushed) ctx.stdout.write(`${each.image}\n`);
  reportFailures(ctx, outcomes);
};

export const define: Define = (command, ctx) => {
  gatewayOptions(packagingOption(imageOptions(manyOptions(command)), 'what the gateway runs'));
  addSwitch(command, '--quiet', 'no effect');
  command.action(() => push(ctx, command.optsWithGlobals<Options>()));
};

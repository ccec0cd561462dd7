// sluice up: build -> upload or push -> deploy -> wait until it answers -> print the URL, for every function of the stack.
import type { Command } from 'commander';
import { uploadBundle } from '../client/bundles.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import type { Context } from '../context.ts';
import { addSwitch, wantsJson } from '../options.ts';
import { writeJson } from '../output/json.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack, nothingTo } from '../stack/find.ts';
import type { Stack, StackFunction } from '../stack/stack.ts';
import {
  type BuildOptions,
  type BuildRequest,
  buildOne,
  buildOptions,
  shrinkwrapOne,
  toBuild,
  warnWithoutEffect,
} from '../steps/build-options.ts';
import { type Deployed, type DeployPlan, deployOne, describeDeployed, type Package } from '../steps/deploy-function.ts';
import { type DeployOptions, deployOptions, manyOptions, planDeployment, readDeployFlags } from '../steps/deploy-options.ts';
import { type ImageOptions, imageOptions } from '../steps/image-options.ts';
import { createImager, type ImageResult, type Imager, withPrefix } from '../steps/imager.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportDeployed, reportFailures } from '../steps/report.ts';
import { type Outcome, runAll } from '../steps/run-all.ts';

type Options = DeployOptions & BuildOptions & ImageOptions & { readonly skipPush: boolean; readonly skipDeploy: boolean };

type Run = {
  readonly ctx: Context;
  readonly client: Client;
  readonly stack: Stack;
  readonly options: Options;
  readonly plan: DeployPlan;
  readonly progress: Progress;
  /** Present when the gateway runs images. */
  readonly imager: Imager | undefined;
};

/** The function as an image in its registry. */
const makeImage = async (run: Run, imager: Imager, request: BuildRequest): Promise<Package> => {
  const { ctx, options, progress } = run;
  const { fn } = request;
  const push = (work: () => Promise<ImageResult>): Promise<ImageResult> => {
    progress.step(fn.name, 'pushing');
    return work();
  };
  if (await imager.needsDockerfile(fn)) {
    const image = await nameImage(ctx, fn, options.tag);
    await imager.buildDockerfile(toBuild(ctx, request), image);
    return options.skipPush
      ? { image: withPrefix(image, ctx.env.OPENFAAS_PREFIX) }
      : await push(() => imager.pushDockerfile(image));
  }
  const built = await buildOne(ctx, request);
  if (options.skipPush) return { image: withPrefix(await nameImage(ctx, fn, options.tag), ctx.env.OPENFAAS_PREFIX) };
  return push(() => imager.push({ fn, image: built.image, bundle: built }));
};

const makePackage = async (run: Run, fn: StackFunction): Promise<Package> => {
  const { ctx, stack, options, progress, imager } = run;
  if (fn.skipBuild) return { image: await nameImage(ctx, fn, options.tag) };
  progress.step(fn.name, 'building');
  const request = { fn, copy: stack.copy, options, log: (line: string) => progress.line(fn.name, line) };
  if (imager !== undefined) return { image: (await makeImage(run, imager, request)).image };
  const { image, digest, file, bytes } = await buildOne(ctx, request);
  return { image, bundle: { file, digest, bytes } };
};

type Arrived = Deployed | { readonly name: string; readonly image: string };

const bringUp = async (run: Run, fn: StackFunction): Promise<Arrived> => {
  const { ctx, client, options, plan, progress } = run;
  try {
    const pack = await makePackage(run, fn);
    const kept = options.skipPush ? { image: pack.image } : pack;
    if (options.skipDeploy) {
      if (kept.bundle !== undefined) await uploadBundle(client, kept.bundle);
      progress.done(fn.name, 'built');
      return { name: fn.name, image: pack.image };
    }
    const deployed = await deployOne(ctx, client, fn, kept, plan, (text) => progress.step(fn.name, text));
    progress.done(fn.name, describeDeployed(deployed));
    return deployed;
  } catch (error) {
    progress.failed(fn.name, 'failed');
    throw error;
  }
};

const isDeployed = (outcome: Outcome<StackFunction, Arrived>): outcome is Outcome<StackFunction, Deployed> =>
  !outcome.ok || 'url' in outcome.result;

const report = (ctx: Context, outcomes: readonly Outcome<StackFunction, Arrived>[], json: boolean): void => {
  const deployed = outcomes.filter(isDeployed);
  const built = outcomes.flatMap((each) => (each.ok && !('url' in each.result) ? [each.result] : []));
  if (built.length === 0) {
    reportDeployed(ctx, deployed, json);
    return;
  }
  if (json) writeJson(ctx.stdout, built);
  else for (const each of built) ctx.stdout.write(`${each.image}\n`);
  reportFailures(ctx, outcomes);
};

/** What `build --shrinkwrap` does: no gateway is asked. */
const writeDirectories = async (ctx: Context, stack: Stack, options: Options): Promise<void> => {
  const wanted = stack.functions.filter((fn) => !fn.skipBuild);
  const progress = createProgress(
    ctx.stderr,
    ctx.env,
    wanted.map((fn) => fn.name),
  );
  const outcomes = await runAll(wanted, options.parallel, async (fn) => {
    const log = (line: string): void => progress.line(fn.name, line);
    const directory = await shrinkwrapOne(ctx, { fn, copy: stack.copy, options, log });
    progress.done(fn.name, 'written');
    return { name: fn.name, directory };
  }).finally(progress.close);
  const written = outcomes.flatMap((each) => (each.ok ? [each.result] : []));
  if (wantsJson(options)) writeJson(ctx.stdout, written);
  else for (const each of written) ctx.stdout.write(`${each.directory}\n`);
  reportFailures(ctx, outcomes);
};

const up = async (ctx: Context, command: Command): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  warnWithoutEffect(ctx, command);
  const stack = await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) {
    throw nothingTo('bring up', stack, 'there is no stack.yaml here; make a function with `sluice new`, or use -f');
  }
  if (options.shrinkwrap) return writeDirectories(ctx, stack, options);
  readDeployFlags(options);
  const client = await connect(ctx, { options, stackGateway: stack.gateway, timeoutMs: options.timeout });
  const plan = await planDeployment(client, options);
  const names = stack.functions.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const imager = plan.packaging === 'image' ? await createImager(ctx, options) : undefined;
  const run: Run = { ctx, client, stack, options, plan, progress, imager };
  const outcomes = await runAll(stack.functions, options.parallel, (fn) => bringUp(run, fn)).finally(async () => {
    progress.close();
    await imager?.close();
  });
  report(ctx, outcomes, wantsJson(options));
};

export const define: Define = (command, ctx) => {
  addSwitch(command, '--skip-push', 'do not upload what was built');
  addSwitch(command, '--skip-deploy', 'build and upload only');
  deployOptions(imageOptions(buildOptions(manyOptions(command))));
  command.action(() => up(ctx, command));
};

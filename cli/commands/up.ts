// sluice up: build -> upload -> deploy -> wait until it answers -> print the URL, for every function of the stack.
import type { Command } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import { uploadBundle } from '../client/bundles.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import type { Context } from '../context.ts';
import { addSwitch, wantsJson } from '../options.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack } from '../stack/find.ts';
import type { Stack, StackFunction } from '../stack/stack.ts';
import { type BuildOptions, buildOne, buildOptions, warnWithoutEffect } from '../steps/build-options.ts';
import { type Deployed, type DeployPlan, deployOne, describeDeployed, type Package } from '../steps/deploy-function.ts';
import { type DeployOptions, deployOptions, manyOptions, planDeployment, readDeployFlags } from '../steps/deploy-options.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportDeployed, reportFailures } from '../steps/report.ts';
import { type Outcome, runAll } from '../steps/run-all.ts';

type Options = DeployOptions & BuildOptions & { readonly skipPush: boolean; readonly skipDeploy: boolean };

type Run = {
  readonly ctx: Context;
  readonly client: Client;
  readonly stack: Stack;
  readonly options: Options;
  readonly plan: DeployPlan;
  readonly progress: Progress;
};

const checkPackaging = ({ plan, client }: Run): void => {
  if (plan.packaging === 'bundle') return;
  throw new FaasError(
    'not-implemented',
    `${client.gateway} runs container images, and this build makes bundles; build and push the image, then use \`sluice deploy\``,
  );
};

const makePackage = async (run: Run, fn: StackFunction): Promise<Package> => {
  const { ctx, stack, options, progress } = run;
  if (fn.skipBuild) return { image: await nameImage(ctx, fn, options.tag) };
  checkPackaging(run);
  progress.step(fn.name, 'building');
  const request = { fn, copy: stack.copy, options, log: (line: string) => progress.line(fn.name, line) };
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
  for (const each of built) ctx.stdout.write(`${each.image}\n`);
  reportFailures(ctx, outcomes);
};

const up = async (ctx: Context, command: Command): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  warnWithoutEffect(ctx, command);
  const stack = await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) {
    throw new FaasError(
      'invalid',
      'nothing to bring up: there is no stack.yaml here; make a function with `sluice new`, or use -f',
    );
  }
  readDeployFlags(options);
  const client = await connect(ctx, { options, stackGateway: stack.gateway, timeoutMs: options.timeout });
  const plan = await planDeployment(client, options);
  const names = stack.functions.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const run: Run = { ctx, client, stack, options, plan, progress };
  const outcomes = await runAll(stack.functions, options.parallel, (fn) => bringUp(run, fn)).finally(progress.close);
  report(ctx, outcomes, wantsJson(options));
};

export const define: Define = (command, ctx) => {
  addSwitch(command, '--skip-push', 'do not upload what was built');
  addSwitch(command, '--skip-deploy', 'build and upload only');
  deployOptions(buildOptions(manyOptions(command)));
  command.action(() => up(ctx, command));
};

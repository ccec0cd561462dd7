// sluice deploy
import type { Command } from 'commander';
import { parseBundleImage } from '../../provider/types/bundle.ts';
import { connect } from '../client/connect.ts';
import type { Context } from '../context.ts';
import { wantsJson } from '../options.ts';
import { createProgress } from '../output/progress.ts';
import type { Define } from '../program.ts';
import { findStack, nothingTo } from '../stack/find.ts';
import type { Stack, StackFunction } from '../stack/stack.ts';
import { functionOfFlags } from '../stack/to-deployment.ts';
import { readBuiltBundle } from '../steps/built-bundle.ts';
import { type DeployPlan, deployOne, describeDeployed, type Package, packageOfBundle } from '../steps/deploy-function.ts';
import { type DeployOptions, deployOptions, manyOptions, planDeployment, readDeployFlags } from '../steps/deploy-options.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportDeployed } from '../steps/report.ts';
import { runAll } from '../steps/run-all.ts';

type Options = DeployOptions & {
  readonly image?: string;
  readonly name?: string;
  readonly fprocess?: string;
  readonly cpuRequest?: string;
  readonly cpuLimit?: string;
  readonly memoryRequest?: string;
  readonly memoryLimit?: string;
};

type Work = { readonly functions: readonly StackFunction[]; readonly gateway: string | undefined; readonly verbatim: boolean };

const fromFlags = (options: Options, stack: Stack | undefined): Work => {
  const { image, name } = options;
  if (!image || !name) throw nothingTo('deploy', stack, 'expected a stack file (-f stack.yaml), or --image and --name');
  const fn = functionOfFlags({
    name,
    image,
    fprocess: options.fprocess ?? '',
    limits: { memory: options.memoryLimit, cpu: options.cpuLimit },
    requests: { memory: options.memoryRequest, cpu: options.cpuRequest },
  });
  return { functions: [fn], gateway: undefined, verbatim: true };
};

const pick = async (ctx: Context, options: Options): Promise<Work> => {
  const single = options.image !== undefined && options.yaml === undefined;
  const stack = single ? undefined : await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) return { ...fromFlags(options, stack), gateway: stack?.gateway };
  return { functions: stack.functions, gateway: stack.gateway, verbatim: false };
};

/** The image as it is deployed, and for a gateway that runs bundles what was built for it. */
const settle = async (ctx: Context, fn: StackFunction, verbatim: boolean, plan: DeployPlan, tag?: string): Promise<Package> => {
  const image = verbatim ? fn.image : await nameImage(ctx, fn, tag);
  // What is not built here is not looked for here; the gateway says what it takes.
  const isSettled = verbatim || fn.skipBuild || plan.packaging === 'image' || parseBundleImage(image) !== undefined;
  if (isSettled) return { image };
  return packageOfBundle(image, await readBuiltBundle(ctx.cwd, fn.name));
};

const deploy = async (ctx: Context, options: Options): Promise<void> => {
  const work = await pick(ctx, options);
  // Before anything is sent: a mistake in a flag concerns all functions.
  readDeployFlags(options);
  const client = await connect(ctx, { options, stackGateway: work.gateway, timeoutMs: options.timeout });
  const plan = await planDeployment(client, options);
  const names = work.functions.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const outcomes = await runAll(work.functions, options.parallel, async (fn) => {
    try {
      const pack = await settle(ctx, fn, work.verbatim, plan, options.tag);
      const deployed = await deployOne(ctx, client, fn, pack, plan, (text) => progress.step(fn.name, text));
      progress.done(fn.name, describeDeployed(deployed));
      return deployed;
    } catch (error) {
      progress.failed(fn.name, 'failed');
      throw error;
    }
  }).finally(progress.close);
  reportDeployed(ctx, outcomes, wantsJson(options));
};

const imageOptions = (command: Command): void => {
  command
    .option('--image <image>', 'deploy this image instead of a stack file; needs --name')
    .option('--name <name>', 'name of the function, with --image')
    .option('--fprocess <command>', 'command of the function, with --image')
    .option('--cpu-request <amount>', 'such as 100m, with --image')
    .option('--cpu-limit <amount>', 'such as 1, with --image')
    .option('--memory-request <amount>', 'such as 64Mi, with --image')
    .option('--memory-limit <amount>', 'such as 256Mi, with --image');
  // faas-cli takes these here and sends nothing of them.
  for (const flags of ['--lang <lang>', '--handler <dir>', '--network <name>'])
    command.addOption(command.createOption(flags).hideHelp());
};

export const define: Define = (command, ctx) => {
  imageOptions(command);
  deployOptions(manyOptions(command));
  command.action(() => deploy(ctx, command.optsWithGlobals<Options>()));
};

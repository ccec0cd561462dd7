// sluice push
import { FaasError } from '../../provider/types/errors.ts';
import { uploadBundle } from '../client/bundles.ts';
import { connect } from '../client/connect.ts';
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
import { findStack } from '../stack/find.ts';
import { readBuiltBundle } from '../steps/built-bundle.ts';
import { packageOfBundle } from '../steps/deploy-function.ts';
import { manyOptions } from '../steps/deploy-options.ts';
import { nameImage } from '../steps/name-image.ts';
import { reportFailures } from '../steps/report.ts';
import { runAll } from '../steps/run-all.ts';

type Options = GlobalOptions & GatewayOptions & OutputOption & StackOption & { readonly parallel: number; readonly tag?: string };

const push = async (ctx: Context, options: Options): Promise<void> => {
  const stack = await findStack(ctx, options);
  if (stack === undefined || stack.functions.length === 0) {
    throw new FaasError('invalid', 'nothing to push: expected a stack file with functions (-f stack.yaml)');
  }
  const wanted = stack.functions.filter((fn) => !fn.skipBuild);
  for (const fn of stack.functions) if (fn.skipBuild) ctx.stderr.write(`${fn.name}: skip_build is set\n`);
  const client = await connect(ctx, { options, stackGateway: stack.gateway });
  const names = wanted.map((fn) => fn.name);
  const progress = createProgress(ctx.stderr, ctx.env, names);
  const outcomes = await runAll(wanted, options.parallel, async (fn) => {
    progress.step(fn.name, 'uploading');
    try {
      const bundle = await readBuiltBundle(ctx.cwd, fn.name);
      const uploaded = await uploadBundle(client, bundle);
      progress.done(fn.name, uploaded ? `uploaded, ${Math.ceil(bundle.bytes / 1024)} KiB` : 'there already');
      return { name: fn.name, image: packageOfBundle(await nameImage(ctx, fn, options.tag), bundle).image, uploaded };
    } catch (error) {
      progress.failed(fn.name, 'failed');
      throw error;
    }
  }).finally(progress.close);
  const pushed = outcomes.flatMap((each) => (each.ok ? [each.result] : []));
  if (wantsJson(options)) writeJson(ctx.stdout, pushed);
  else for (const each of pushed) ctx.stdout.write(`${each.image}\n`);
  reportFailures(ctx, outcomes);
};

export const define: Define = (command, ctx) => {
  gatewayOptions(manyOptions(command));
  addSwitch(command, '--quiet', 'no effect');
  command.action(() => push(ctx, command.optsWithGlobals<Options>()));
};

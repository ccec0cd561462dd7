// sluice scale
import { connect } from '../client/connect.ts';
import { scaleFunction } from '../client/functions.ts';
import type { Context } from '../context.ts';
import {
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  parseCount,
  type StackOption,
  stackOption,
} from '../options.ts';
import type { Define } from '../program.ts';
import { stackGateway } from '../stack/find.ts';

type Options = GlobalOptions & GatewayOptions & NamespaceOption & StackOption;

const scale = async (ctx: Context, name: string, replicas: number, options: Options): Promise<void> => {
  const client = await connect(ctx, { options, stackGateway: await stackGateway(ctx, options) });
  await scaleFunction(client, name, options.namespace, replicas);
  ctx.stdout.write(`Scaled: ${name} to ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}.\n`);
};

export const define: Define = (command, ctx) => {
  command.argument('<name>', 'function').argument('<replicas>', 'their number; 0 lets the next call start one', parseCount);
  stackOption(namespaceOption(gatewayOptions(command)));
  command.action((name: string, replicas: number) => scale(ctx, name, replicas, command.optsWithGlobals<Options>()));
};

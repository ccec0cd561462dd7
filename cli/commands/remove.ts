// sluice remove
import { FaasError, toFaasError } from '../../provider/types/errors.ts';
import { connect } from '../client/connect.ts';
import { removeFunction } from '../client/functions.ts';
import type { Context } from '../context.ts';
import {
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  type StackOption,
  stackOption,
} from '../options.ts';
import type { Define } from '../program.ts';
import { findStack } from '../stack/find.ts';
import { ToldFailure } from '../told-failure.ts';

type Options = GlobalOptions & GatewayOptions & NamespaceOption & StackOption;
type Doomed = { readonly name: string; readonly namespace: string | undefined };

const pick = async (
  ctx: Context,
  names: readonly string[],
  options: Options,
): Promise<{ doomed: Doomed[]; gateway: string | undefined }> => {
  if (names.length > 0) return { doomed: names.map((name) => ({ name, namespace: options.namespace })), gateway: undefined };
  // Why: a stack file that happens to lie in the working directory must not cost all its functions.
  const stack = options.yaml ? await findStack(ctx, options) : undefined;
  if (stack === undefined) {
    throw new FaasError('invalid', 'name the functions to remove, or give -f stack.yaml to remove all functions of that file');
  }
  const doomed = stack.functions.map((fn) => ({ name: fn.name, namespace: options.namespace || fn.namespace || undefined }));
  return { doomed, gateway: stack.gateway };
};

const remove = async (ctx: Context, names: readonly string[], options: Options): Promise<void> => {
  const { doomed, gateway } = await pick(ctx, names, options);
  const client = await connect(ctx, { options, stackGateway: gateway });
  let failed = 0;
  for (const { name, namespace } of doomed) {
    ctx.stdout.write(`Deleting: ${name}.${namespace ?? ''}\n`);
    try {
      await removeFunction(client, name, namespace);
      ctx.stdout.write('Removing old function.\n');
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      failed += 1;
      ctx.stderr.write(`error: ${toFaasError(error).message}\n`);
    }
  }
  if (failed > 0) throw new ToldFailure(`${failed} of ${doomed.length} not removed`);
};

export const define: Define = (command, ctx) => {
  command.argument('[names...]', 'functions; without any, all of the file given with -f');
  stackOption(namespaceOption(gatewayOptions(command)));
  command.action((names: string[]) => remove(ctx, names, command.optsWithGlobals<Options>()));
};

// sluice ready
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { findFunction } from '../client/functions.ts';
import type { Context } from '../context.ts';
import {
  addDuration,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  parseCount,
} from '../options.ts';
import type { Define } from '../program.ts';
import { stackGateway } from '../stack/find.ts';

type Options = GlobalOptions &
  GatewayOptions &
  NamespaceOption & {
    readonly attempts: number;
    /** Milliseconds. */
    readonly interval: number;
  };

const probe = async (client: Client, name: string | undefined, namespace: string | undefined): Promise<boolean> => {
  try {
    if (name === undefined) return (await client.call('GET', '/healthz')).status === 200;
    return ((await findFunction(client, name, namespace, { usage: true }))?.availableReplicas ?? 0) > 0;
  } catch (error) {
    // Waiting does not help against wrong credentials; against all else it may.
    if (!isFaasError(error) || error.code === 'unauthorized') throw error;
    return false;
  }
};

const ready = async (ctx: Context, name: string | undefined, options: Options): Promise<void> => {
  const { attempts, interval } = options;
  if (attempts < 1) throw new FaasError('invalid', `--attempts: expected 1 or more, got ${attempts}`);
  const stack = await stackGateway(ctx, options);
  const client = await connect(ctx, { options, stackGateway: stack, ...(name === undefined ? { authorization: null } : {}) });
  const what = name === undefined ? `the gateway at ${client.gateway}` : `function ${name}`;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    ctx.stderr.write(`[${attempt}/${attempts}] Waiting for ${what}\n`);
    if (await probe(client, name, options.namespace)) {
      ctx.stdout.write(name === undefined ? `The gateway at ${client.gateway} is ready.\n` : `Function ${name} is ready.\n`);
      return;
    }
    if (attempt < attempts) await ctx.sleep(interval, ctx.signal);
  }
  throw new FaasError('timeout', `${what} was not ready after ${attempts} attempts`);
};

export const define: Define = (command, ctx) => {
  command.argument('[name]', 'function; without it the gateway');
  command.option('--attempts <count>', 'how often to look', parseCount, 60);
  addDuration(command, '--interval <duration>', 'pause between two looks', '1s');
  namespaceOption(gatewayOptions(command));
  command.action((name: string | undefined) => ready(ctx, name, command.optsWithGlobals<Options>()));
};

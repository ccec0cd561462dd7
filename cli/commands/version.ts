// sluice version
import { toFaasError } from '../../provider/types/errors.ts';
import { connect, gatewayOf } from '../client/connect.ts';
import { getInfo } from '../client/info.ts';
import type { Context } from '../context.ts';
import { commitOf, releaseOf } from '../context.ts';
import {
  addSwitch,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type OutputOption,
  outputOption,
  type StackOption,
  stackOption,
  wantsJson,
} from '../options.ts';
import { writeJson } from '../output/json.ts';
import { formatRows } from '../output/table.ts';
import type { Define } from '../program.ts';
import { stackGateway } from '../stack/find.ts';

type Options = GlobalOptions & GatewayOptions & OutputOption & StackOption & { readonly shortVersion: boolean };

const ask = async (ctx: Context, options: Options) => {
  // A broken stack file is no reason to hide a version.
  const target = { options, stackGateway: await stackGateway(ctx, options).catch(() => undefined), timeoutMs: 5000 };
  const info = await getInfo(await connect(ctx, target));
  const { provider } = info;
  return {
    gateway: { uri: gatewayOf(ctx, target), version: info.version.release, sha: info.version.sha },
    provider: {
      name: provider.provider,
      orchestration: provider.orchestration,
      version: provider.version.release,
      sha: provider.version.sha,
    },
    capabilities: provider.capabilities,
  };
};

const show = async (ctx: Context, options: Options): Promise<void> => {
  const version = releaseOf(ctx);
  if (options.shortVersion) {
    ctx.stdout.write(`${version}\n`);
    return;
  }
  if (wantsJson(options)) {
    writeJson(ctx.stdout, { cli: { commit: commitOf(ctx), version }, ...(await ask(ctx, options)) });
    return;
  }
  ctx.stdout.write(`CLI:\n${formatRows([['version', version]], '  ')}`);
  try {
    const { gateway, provider, capabilities } = await ask(ctx, options);
    ctx.stdout.write(`\nGateway:\n${formatRows(Object.entries(gateway), '  ')}`);
    ctx.stdout.write(`\nProvider:\n${formatRows([...Object.entries(provider), ...Object.entries(capabilities ?? {})], '  ')}`);
  } catch (error) {
    ctx.stderr.write(`\nno version of the gateway: ${toFaasError(error).message}\n`);
  }
};

export const define: Define = (command, ctx) => {
  addSwitch(command, '--short-version', 'only the version of this command');
  // Accepted for scripts written for faas-cli; there is no look for newer versions to turn off.
  addSwitch(command, '--warn-update', 'no effect');
  stackOption(outputOption(gatewayOptions(command)));
  command.action(() => show(ctx, command.optsWithGlobals<Options>()));
};

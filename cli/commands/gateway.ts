// sluice gateway: runs the gateway on this machine until it is asked to stop.
import { once } from 'node:events';
import { describeSettings } from '../../gateway/config.ts';
import { toFaasError } from '../../provider/types/errors.ts';
import type { GatewayInfo } from '../../provider/types/info.ts';
import { basicHeader, dataDirectory } from '../client/authorize.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { defaultGateway } from '../client/gateway-address.ts';
import { findInfo } from '../client/info.ts';
import type { Context } from '../context.ts';
import { addSwitch } from '../options.ts';
import type { Define } from '../program.ts';
import { deploySample, sampleCall } from '../steps/deploy-sample.ts';

type Running = {
  readonly url: string;
  readonly metricsUrl: string;
  readonly dataDir: string;
  readonly credentials?:
    | { readonly user: string; readonly password: string; readonly generated: boolean; readonly file: string }
    | undefined;
};

const connectTo = (ctx: Context, { url, credentials }: Running): Promise<Client> => {
  const authorization = credentials === undefined ? null : basicHeader(credentials.user, credentials.password);
  return connect(ctx, { options: { gateway: url, tlsNoVerify: false }, authorization });
};

type Capabilities = GatewayInfo['provider']['capabilities'];

const capabilitiesOf = async (client: Client): Promise<Capabilities> => {
  // A gateway that is asked to stop meanwhile has nothing to announce.
  const info = await findInfo(client).catch(() => undefined);
  return info?.provider.capabilities;
};

/** How functions are kept apart, without the details. */
const isolationOf = (capabilities: Capabilities): string | undefined => capabilities?.isolation.split(/[;,(]/, 1)[0]?.trim();

const announce = (ctx: Context, gateway: Running, isolation: string | undefined): void => {
  const { url, metricsUrl, credentials, dataDir } = gateway;
  ctx.stdout.write(`gateway   ${url}\nmetrics   ${metricsUrl}\ndata      ${dataDir}\n`);
  if (isolation !== undefined) ctx.stdout.write(`isolation ${isolation}\n`);
  if (credentials?.generated) {
    ctx.stdout.write(`user      ${credentials.user}\npassword  ${credentials.password}\n`);
    ctx.stdout.write(`          kept in ${credentials.file}; shown only this once\n`);
  } else if (credentials !== undefined) {
    ctx.stdout.write(`user      ${credentials.user}\npassword  kept in ${credentials.file}\n`);
  }
  const settings = [
    ...(url === defaultGateway ? [] : [`OPENFAAS_URL=${url}`]),
    ...(dataDir === dataDirectory(ctx) ? [] : [`SLUICE_DATA_DIR=${dataDir}`]),
  ];
  if (settings.length > 0) ctx.stdout.write(`\nother commands find it after:   export ${settings.join(' ')}\n`);
};

const sample = async (ctx: Context, { url, dataDir }: Running, client: Client): Promise<void> => {
  try {
    const name = await deploySample(ctx, client, dataDir);
    if (name !== undefined) ctx.stdout.write(`\ntry it:   ${sampleCall(url, name)}\n`);
  } catch (error) {
    if (ctx.signal.aborted) return;
    // The gateway works without its sample.
    ctx.stderr.write(`warning: the sample function was not deployed: ${toFaasError(error).message}\n`);
  }
};

/** People read the gateway's terminal: there only warnings are logged, as plain lines, unless asked otherwise. */
const environmentOf = ({ env, stderr }: Context): Context['env'] =>
  stderr.isTTY === true
    ? { ...env, SLUICE_LOG_LEVEL: env.SLUICE_LOG_LEVEL || 'warn', SLUICE_LOG_FORMAT: env.SLUICE_LOG_FORMAT || 'text' }
    : env;

const serve = async (ctx: Context, argv: readonly string[], withSample: boolean): Promise<void> => {
  const { startGateway } = await import('../../gateway/main.ts');
  const gateway = await startGateway({ argv: [...argv], env: environmentOf(ctx) });
  try {
    const client = await connectTo(ctx, gateway);
    const capabilities = await capabilitiesOf(client);
    announce(ctx, gateway, isolationOf(capabilities));
    // An image would need a registry that nobody has named yet.
    if (withSample && capabilities?.packaging !== 'image') await sample(ctx, gateway, client);
    if (!ctx.signal.aborted) await once(ctx.signal, 'abort');
    ctx.stderr.write('stopping: running calls are finished first; a second interrupt stops at once\n');
  } finally {
    await gateway.close();
  }
};

export const define: Define = (command, ctx) => {
  command
    .argument('[flags...]', "the gateway's flags, below")
    .allowUnknownOption()
    .addHelpText('after', `\nFlags of the gateway, with their environment variables and defaults:\n${describeSettings()}`);
  addSwitch(command, '--sample', 'deploy the function hello when there are no functions', true);
  command.action(() => serve(ctx, command.args, command.opts<{ sample: boolean }>().sample));
};

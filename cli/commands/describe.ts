// sluice describe
import { FaasError } from '../../provider/types/errors.ts';
import type { FunctionStatus } from '../../provider/types/function.ts';
import type { GatewayInfo } from '../../provider/types/info.ts';
import { connect } from '../client/connect.ts';
import { findFunction, functionUrl, listFunctions } from '../client/functions.ts';
import { findInfo } from '../client/info.ts';
import { namespaceHint } from '../client/namespace-hint.ts';
import type { Context } from '../context.ts';
import {
  addSwitch,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  type OutputOption,
  outputOption,
  type StackOption,
  stackOption,
  wantsJson,
} from '../options.ts';
import { formatDescription } from '../output/description.ts';
import { writeJson } from '../output/json.ts';
import type { Define } from '../program.ts';
import { stackGateway } from '../stack/find.ts';

type Options = GlobalOptions & GatewayOptions & NamespaceOption & OutputOption & StackOption & { readonly verbose: boolean };

/** A gateway that lists its capabilities is Sluice's, and none of them is a queue; OpenFaaS's gateways have one and list nothing. */
const hasQueue = (info: GatewayInfo | undefined): boolean => info !== undefined && info.provider.capabilities === undefined;

const describe = async (ctx: Context, name: string, options: Options): Promise<void> => {
  const client = await connect(ctx, { options, stackGateway: await stackGateway(ctx, options) });
  const status = await findFunction(client, name, options.namespace, { usage: true });
  if (status === undefined) {
    const where = options.namespace ? ` in namespace ${options.namespace}` : '';
    throw new FaasError(
      'not-found',
      `no such function: ${name}${where}; \`sluice list\` shows those that there are${namespaceHint(name)}`,
    );
  }
  const count = async (): Promise<number> => {
    // Gateways leave the count out of the single status.
    const listed = (await listFunctions(client, options.namespace)).find((each: FunctionStatus) => each.name === name);
    return listed?.invocationCount ?? 0;
  };
  const invocationCount = status.invocationCount ?? (await count());
  const info = await findInfo(client).catch(() => undefined);
  const facts = {
    status,
    invocationCount,
    url: functionUrl(client.gateway, name, options.namespace),
    asyncUrl: hasQueue(info) ? functionUrl(client.gateway, name, options.namespace, 'async-function') : undefined,
  };
  if (wantsJson(options)) {
    const Status = (status.availableReplicas ?? 0) > 0 ? 'Ready' : 'Not Ready';
    writeJson(ctx.stdout, {
      ...status,
      Status,
      InvocationCount: facts.invocationCount,
      URL: facts.url,
      AsyncURL: facts.asyncUrl,
    });
    return;
  }
  const enforcement = info?.provider.capabilities?.limits;
  ctx.stdout.write(formatDescription({ ...facts, enforcement }, options.verbose));
};

export const define: Define = (command, ctx) => {
  command.argument('<name>', 'function');
  addSwitch(command, '-v, --verbose', 'show empty values too');
  stackOption(outputOption(namespaceOption(gatewayOptions(command))));
  command.action((name: string) => describe(ctx, name, command.optsWithGlobals<Options>()));
};

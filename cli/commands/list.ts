// sluice list
import { Option } from 'commander';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { connect } from '../client/connect.ts';
import { listFunctions } from '../client/functions.ts';
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
import { writeJson } from '../output/json.ts';
import { formatTable } from '../output/table.ts';
import type { Define } from '../program.ts';
import { stackGateway } from '../stack/find.ts';

type Options = GlobalOptions &
  GatewayOptions &
  NamespaceOption &
  OutputOption &
  StackOption & {
    readonly verbose: boolean;
    readonly quiet: boolean;
    readonly sort: 'name' | 'invocations' | 'creation';
  };

const sorted = (list: readonly FunctionStatus[], by: Options['sort']): FunctionStatus[] => {
  const all = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (by === 'invocations') all.sort((a, b) => (b.invocationCount ?? 0) - (a.invocationCount ?? 0));
  if (by === 'creation') all.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  return all;
};

/** Pure: the tables of faas-cli, columns padded to 30, 15 and 5 and separated by tabs. */
const formatList = (list: readonly FunctionStatus[], verbose: boolean): string => {
  const count = (each: FunctionStatus): string => String(each.invocationCount ?? 0);
  const replicas = (each: FunctionStatus): string => String(each.replicas ?? 0);
  const name = { heading: 'Function', width: 30 };
  const calls = { heading: 'Invocations', width: 15 };
  const running = { heading: 'Replicas', width: 5 };
  if (!verbose)
    return formatTable(
      [name, calls, running],
      list.map((each) => [each.name, count(each), replicas(each)]),
    );
  const image = { heading: 'Image', width: Math.max(40, ...list.map((each) => each.image.length)) };
  const gap = { heading: '', width: 0 };
  const created = { heading: 'CreatedAt', width: 0 };
  return formatTable(
    [name, image, calls, running, gap, created],
    list.map((each) => [each.name, each.image, count(each), replicas(each), '', each.createdAt]),
  );
};

const show = async (ctx: Context, options: Options): Promise<void> => {
  const client = await connect(ctx, { options, stackGateway: await stackGateway(ctx, options) });
  const received = await listFunctions(client, options.namespace);
  const list = sorted(received, options.sort);
  if (wantsJson(options)) writeJson(ctx.stdout, received);
  else if (options.quiet) for (const each of list) ctx.stdout.write(`${each.name}\n`);
  else ctx.stdout.write(formatList(list, options.verbose));
};

export const define: Define = (command, ctx) => {
  addSwitch(command, '-v, --verbose', 'image and time of creation too');
  addSwitch(command, '-q, --quiet', 'names only');
  command.addOption(new Option('--sort <by>', 'order').choices(['name', 'invocations', 'creation']).default('name'));
  stackOption(outputOption(namespaceOption(gatewayOptions(command))));
  command.action(() => show(ctx, command.optsWithGlobals<Options>()));
};

// sluice namespace list | create | update | get | remove
import type { Command } from 'commander';
import { checkLabelName } from '../../provider/types/name.ts';
import type { FunctionNamespace } from '../../provider/types/namespace.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { createNamespace, getNamespace, listNamespaces, removeNamespace, updateNamespace } from '../client/namespaces.ts';
import type { Context } from '../context.ts';
import { addList, type GatewayOptions, gatewayOptions, type OutputOption, outputOption, wantsJson } from '../options.ts';
import { writeJson } from '../output/json.ts';
import type { Define } from '../program.ts';
import { parsePairs } from '../stack/pairs.ts';

type MarkOptions = GatewayOptions & { readonly label: readonly string[]; readonly annotation: readonly string[] };

const list = async (ctx: Context, options: GatewayOptions & OutputOption): Promise<void> => {
  const names = await listNamespaces(await connect(ctx, { options }));
  if (wantsJson(options)) writeJson(ctx.stdout, names);
  else ctx.stdout.write(`Namespaces:\n${names.map((name) => ` - ${name}\n`).join('')}`);
};

const block = (heading: string, values: Readonly<Record<string, string>> | undefined): string => {
  const lines = Object.entries(values ?? {}).map(([key, value]) => `  ${key}: ${value}\n`);
  return lines.length === 0 ? '' : `${heading}:\n${lines.join('')}`;
};

const write =
  (ctx: Context, send: (client: Client, namespace: FunctionNamespace) => Promise<void>, told: string) =>
  async (name: string, options: MarkOptions): Promise<void> => {
    checkLabelName('namespace', name);
    const labels = parsePairs('--label', options.label);
    const annotations = parsePairs('--annotation', options.annotation);
    await send(await connect(ctx, { options }), { name, labels, annotations });
    ctx.stdout.write(`${told}: ${name}\n`);
  };

const marks = (command: Command): Command =>
  addList(
    addList(command.argument('<name>', 'namespace'), '-l, --label <key=value>', 'label; repeatable'),
    '--annotation <key=value>',
    'annotation; repeatable',
  );

export const defineNamespaceList = (command: Command, ctx: Context): void => {
  outputOption(gatewayOptions(command));
  command.action(() => list(ctx, command.optsWithGlobals<GatewayOptions & OutputOption>()));
};

export const define: Define = (group, ctx) => {
  const add = (name: string, summary: string, aliases: string[] = []) =>
    gatewayOptions(group.command(name).aliases(aliases).description(summary));

  defineNamespaceList(group.command('list').aliases(['ls']).description('list namespaces'), ctx);

  const create = marks(add('create', 'create a namespace'));
  const created = write(ctx, createNamespace, 'Namespace created');
  create.action((name: string) => created(name, create.optsWithGlobals<MarkOptions>()));

  const update = marks(add('update', 'set the labels and annotations of a namespace'));
  const updated = write(ctx, updateNamespace, 'Namespace updated');
  update.action((name: string) => updated(name, update.optsWithGlobals<MarkOptions>()));

  const get = outputOption(add('get', 'show a namespace')).argument('<name>', 'namespace');
  get.action(async (name: string) => {
    const options = get.optsWithGlobals<GatewayOptions & OutputOption>();
    const found = await getNamespace(await connect(ctx, { options }), name);
    if (wantsJson(options)) writeJson(ctx.stdout, found);
    else ctx.stdout.write(`Name: ${found.name}\n${block('Labels', found.labels)}${block('Annotations', found.annotations)}`);
  });

  const remove = add('remove', 'remove a namespace with its functions and secrets', ['rm', 'delete']).argument(
    '<name>',
    'namespace',
  );
  remove.action(async (name: string) => {
    await removeNamespace(await connect(ctx, { options: remove.optsWithGlobals<GatewayOptions>() }), name);
    ctx.stdout.write(`Namespace removed: ${name}\n`);
  });
};

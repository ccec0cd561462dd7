// sluice secret create | update | list | remove

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Option } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import { isSubdomainName, subdomainNameRule } from '../../provider/types/name.ts';
import { type SecretType, secretTypes } from '../../provider/types/secret.ts';
import type { Client } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { createSecret, listSecrets, removeSecret, type SecretBody, updateSecret } from '../client/secrets.ts';
import type { Context } from '../context.ts';
import { openInput } from '../input.ts';
import { STATUS_CODES } from '../node-http.ts';
import {
  addSwitch,
  type GatewayOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  type OutputOption,
  outputOption,
  wantsJson,
} from '../options.ts';
import { writeJson } from '../output/json.ts';
import type { Define } from '../program.ts';

type Options = GatewayOptions & NamespaceOption;
type ValueOptions = Options & { readonly fromLiteral?: string; readonly fromFile?: string; readonly trim: boolean };
type CreateOptions = ValueOptions & { readonly replace: boolean; readonly type?: SecretType };

const inWords = (status: number): string => `${status} ${STATUS_CODES[status] ?? ''}`.trim();

const readValue = async (ctx: Context, options: ValueOptions): Promise<Buffer> => {
  const { fromLiteral, fromFile } = options;
  if (fromLiteral !== undefined && fromFile !== undefined) {
    throw new FaasError('invalid', 'expected one of --from-literal, --from-file and standard input, got two');
  }
  if (fromLiteral !== undefined) return Buffer.from(fromLiteral);
  if (fromFile === undefined) {
    return buffer(openInput(ctx, 'value'));
  }
  try {
    return await readFile(resolve(ctx.cwd, fromFile));
  } catch (cause) {
    throw new FaasError('not-found', `--from-file: cannot read ${fromFile}: ${(cause as Error).message}`, { cause });
  }
};

const readSecret = async (ctx: Context, name: string, options: ValueOptions): Promise<SecretBody> => {
  if (!isSubdomainName(name)) {
    throw new FaasError('invalid', `secret name: expected ${subdomainNameRule}, got ${JSON.stringify(name)}`);
  }
  const bytes = await readValue(ctx, options);
  const value = options.trim ? bytes.toString().trim() : bytes.toString();
  if (value === '') {
    const ways = 'from --from-literal, --from-file or standard input';
    throw new FaasError('invalid', `secret ${name}: expected a value that is not empty, ${ways}`);
  }
  const rawValue = options.fromFile === undefined ? undefined : bytes.toString('base64');
  return { name, namespace: options.namespace || undefined, value, rawValue };
};

const show = async (ctx: Context, client: Client, options: Options & OutputOption): Promise<void> => {
  const secrets = await listSecrets(client, options.namespace);
  if (wantsJson(options)) writeJson(ctx.stdout, secrets);
  else if (secrets.length === 0) ctx.stdout.write('No secrets found.\n');
  else ctx.stdout.write(`\nNAME\n${secrets.map((secret) => `${secret.name}\n`).join('')}\n`);
};

export const define: Define = (group, ctx) => {
  const add = (name: string, summary: string, aliases: string[] = []) =>
    namespaceOption(gatewayOptions(group.command(name).aliases(aliases).description(summary)));
  const addValue = (name: string, summary: string, aliases: string[] = []) => {
    const command = add(name, summary, aliases)
      .argument('<name>', 'secret')
      .option('--from-literal <value>', 'the value itself')
      .option('--from-file <file>', 'file that holds the value, taken byte for byte');
    return addSwitch(command, '--trim', 'drop white space around a literal or piped value', true);
  };

  const create = addSwitch(addValue('create', 'create a secret'), '--replace', 'update it when it exists');
  create.addOption(new Option('--type <type>', 'kubernetes.io/dockerconfigjson: a login for images').choices(secretTypes));
  create.action(async (name: string) => {
    const options = create.optsWithGlobals<CreateOptions>();
    const secret = { ...(await readSecret(ctx, name, options)), type: options.type };
    const client = await connect(ctx, { options });
    ctx.stdout.write(`Creating secret: ${name}.\n`);
    ctx.stdout.write(`Created: ${inWords(await createSecret(client, secret, options.replace))}\n`);
  });

  const update = addValue('update', 'change the value of a secret', ['u']);
  update.action(async (name: string) => {
    const options = update.optsWithGlobals<ValueOptions>();
    const secret = await readSecret(ctx, name, options);
    const client = await connect(ctx, { options });
    ctx.stdout.write(`Updating secret: ${name}.\n`);
    ctx.stdout.write(`Updated: ${inWords(await updateSecret(client, secret))}\n`);
  });

  const list = outputOption(add('list', 'list the names of secrets', ['ls']));
  list.action(async () => {
    const options = list.optsWithGlobals<Options & OutputOption>();
    await show(ctx, await connect(ctx, { options }), options);
  });

  const remove = add('remove', 'remove a secret', ['rm', 'delete']).argument('<name>', 'secret');
  remove.action(async (name: string) => {
    const options = remove.optsWithGlobals<Options>();
    await removeSecret(await connect(ctx, { options }), name, options.namespace || undefined);
    ctx.stdout.write(`Removed secret: ${name}.\n`);
  });
};

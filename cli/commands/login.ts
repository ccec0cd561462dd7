// sluice login
import { text } from 'node:stream/consumers';
import { FaasError } from '../../provider/types/errors.ts';
import { basicHeader } from '../client/authorize.ts';
import { expectStatus } from '../client/client.ts';
import { connect } from '../client/connect.ts';
import { saveLogin } from '../client/login-file.ts';
import type { Context } from '../context.ts';
import { openInput } from '../input.ts';
import { addDuration, addSwitch, type GatewayOptions, gatewayOptions } from '../options.ts';
import type { Define } from '../program.ts';

type Options = GatewayOptions & {
  readonly username: string;
  readonly password?: string;
  readonly passwordStdin: boolean;
  /** Milliseconds. */
  readonly timeout: number;
};

const readPassword = async (ctx: Context, options: Options): Promise<string> => {
  if (options.password !== undefined && options.passwordStdin) {
    throw new FaasError('invalid', 'expected --password or --password-stdin, got both');
  }
  if (options.password !== undefined) {
    ctx.stderr.write('warning: a password on the command line is visible to others; --password-stdin is safer\n');
  }
  const given = options.passwordStdin ? await text(openInput(ctx, 'password')) : (options.password ?? '');
  const password = given.trim();
  if (password !== '') return password;
  throw new FaasError('invalid', 'expected a password that is not empty; pipe it in: `sluice login --password-stdin < file`');
};

const login = async (ctx: Context, options: Options): Promise<void> => {
  if (options.username === '') throw new FaasError('invalid', '--username: expected a name, got nothing');
  const password = await readPassword(ctx, options);
  const authorization = basicHeader(options.username, password);
  const client = await connect(ctx, { options, timeoutMs: options.timeout, authorization });
  const reply = await client.call('GET', '/system/functions');
  if (reply.status === 401) {
    throw new FaasError('unauthorized', `${client.gateway} does not know this user name and password; nothing was stored`);
  }
  expectStatus(client, reply, [200], 'logging in');
  const file = await saveLogin(ctx, { gateway: client.gateway, auth: 'basic', token: authorization.slice('Basic '.length) });
  ctx.stdout.write(`credentials saved for ${options.username} ${client.gateway}\n`);
  ctx.stderr.write(`they are kept in ${file}\n`);
};

export const define: Define = (command, ctx) => {
  command.option('-u, --username <name>', 'user name', 'admin').option('-p, --password <password>', 'password');
  addSwitch(command, '-s, --password-stdin', 'read the password from standard input');
  addDuration(command, '--timeout <duration>', 'longest time to wait for the gateway', '5s');
  gatewayOptions(command);
  command.action(() => login(ctx, command.optsWithGlobals<Options>()));
};

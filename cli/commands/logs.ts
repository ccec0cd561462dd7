// sluice logs
import { once } from 'node:events';
import { Option } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import { connect } from '../client/connect.ts';
import { openLogs } from '../client/logs.ts';
import type { Context } from '../context.ts';
import {
  addSwitch,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  parseMs,
} from '../options.ts';
import { formatLogLine, type LogFormat } from '../output/log-line.ts';
import type { Define } from '../program.ts';
import { findStackFile, stackGateway } from '../stack/find.ts';

type Options = GlobalOptions &
  GatewayOptions &
  NamespaceOption & {
    /** Milliseconds. */
    readonly since?: number;
    readonly sinceTime?: string;
    readonly lines: number;
    readonly tail: boolean;
    readonly output: LogFormat['output'];
    readonly json: boolean;
    readonly timeFormat: string;
    readonly name: boolean;
    readonly instance: boolean;
  };

const parseLines = (text: string): number => {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new FaasError('invalid', `--lines: expected a whole number, got ${JSON.stringify(text)}`);
};

const sinceOf = (ctx: Context, options: Options): string | undefined => {
  if (options.sinceTime !== undefined) {
    const time = Date.parse(options.sinceTime);
    if (!/^\d{4}-\d\d-\d\dT/.test(options.sinceTime) || Number.isNaN(time)) {
      const got = JSON.stringify(options.sinceTime);
      throw new FaasError('invalid', `--since-time: expected a time such as 2026-01-02T15:04:05Z, got ${got}`);
    }
    return options.sinceTime;
  }
  if (options.since === undefined) return undefined;
  return new Date(ctx.now() - options.since).toISOString().replace(/\.\d+Z$/, 'Z');
};

/** A broken stack file stops only who named it: reading logs does not need one. */
const gatewayFromStack = async (ctx: Context, options: Options): Promise<string | undefined> => {
  if (options.gateway !== undefined) return undefined;
  if (options.yaml !== undefined) return stackGateway(ctx, options);
  if ((await findStackFile(ctx, undefined)) === undefined) return undefined;
  try {
    return await stackGateway(ctx, options);
  } catch {
    return undefined;
  }
};

const logs = async (ctx: Context, name: string, options: Options): Promise<void> => {
  const since = sinceOf(ctx, options);
  const client = await connect(ctx, { options, stackGateway: await gatewayFromStack(ctx, options) });
  const { namespace, lines: tail, tail: follow } = options;
  const messages = await openLogs(client, { name, namespace, follow, since, tail });
  const format: LogFormat = { ...options, output: options.json ? 'json' : options.output };
  for await (const message of messages) {
    if (!ctx.stdout.write(`${formatLogLine(message, format)}\n`)) await once(ctx.stdout, 'drain', { signal: ctx.signal });
  }
};

export const define: Define = (command, ctx) => {
  command
    .argument('<name>', 'function')
    .addOption(new Option('--since <duration>', 'lines of the last 10m, say').argParser(parseMs))
    .option('--since-time <time>', 'lines since a time such as 2026-01-02T15:04:05Z')
    .addOption(new Option('--lines <count>', 'only the last lines').argParser(parseLines).default(-1, 'all'));
  addSwitch(command, '-t, --tail', 'wait for new lines', true);
  command
    .addOption(new Option('-o, --output <format>', 'form of a line').choices(['plain', 'keyvalue', 'json']).default('plain'))
    .option('--time-format <layout>', 'Go layout of the time or the name of one; empty hides it', 'RFC3339');
  addSwitch(command, '-j, --json', 'the same as --output json');
  addSwitch(command, '--name', "print the function's name");
  addSwitch(command, '--instance', 'print the replica');
  namespaceOption(gatewayOptions(command));
  command.action((name: string) => logs(ctx, name, command.optsWithGlobals<Options>()));
};

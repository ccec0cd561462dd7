// sluice new
import type { Command } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import { pickGateway } from '../client/gateway-address.ts';
import { builtinTemplates, type Context } from '../context.ts';
import { addSwitch, type GlobalOptions } from '../options.ts';
import type { Define } from '../program.ts';

type Options = GlobalOptions & {
  readonly lang?: string;
  readonly gateway?: string;
  readonly handler?: string;
  readonly prefix?: string;
  readonly append?: string;
  readonly quiet: boolean;
  readonly list: boolean;
  readonly cpuRequest?: string;
  readonly cpuLimit?: string;
  readonly memoryRequest?: string;
  readonly memoryLimit?: string;
};

const listAll = async (ctx: Context): Promise<void> => {
  const { listTemplates } = await import('../templates/find.ts');
  const templates = await listTemplates({ cwd: ctx.cwd, builtinDir: builtinTemplates(ctx) });
  ctx.stdout.write('Languages available as templates:\n');
  for (const { name, builtin } of templates) ctx.stdout.write(`- ${name}${builtin ? '' : ' (./template)'}\n`);
};

const amounts = (memory: string | undefined, cpu: string | undefined) =>
  memory || cpu ? { memory: memory || undefined, cpu: cpu || undefined } : undefined;

const make = async (ctx: Context, name: string, lang: string, options: Options): Promise<void> => {
  const { scaffold } = await import('../templates/scaffold.ts');
  const made = await scaffold({
    name,
    lang,
    cwd: ctx.cwd,
    builtinDir: builtinTemplates(ctx),
    handlerDir: options.handler,
    stackFile: options.yaml || undefined,
    append: options.append,
    prefix: options.prefix ?? ctx.env.OPENFAAS_PREFIX,
    gateway: pickGateway({ flag: options.gateway, env: ctx.env.OPENFAAS_URL }),
    requests: amounts(options.memoryRequest, options.cpuRequest),
    limits: amounts(options.memoryLimit, options.cpuLimit),
  });
  ctx.stdout.write(`Folder: ${made.handlerDir} created.\n`);
  ctx.stdout.write(`${options.append === undefined ? 'Stack file written' : 'Stack file updated'}: ${made.stackFile}\n`);
  if (!options.quiet && made.welcomeMessage) ctx.stdout.write(`\n${made.welcomeMessage.trimEnd()}\n`);
};

const run = async (ctx: Context, name: string | undefined, command: Command): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  if (options.list) return listAll(ctx);
  if (name === undefined && options.lang === undefined) {
    command.outputHelp();
    return;
  }
  if (name === undefined) throw new FaasError('invalid', 'expected the name of the function: sluice new NAME --lang LANG');
  if (!options.lang)
    throw new FaasError('invalid', '--lang: expected a template; `sluice new --list` shows those that there are');
  await make(ctx, name, options.lang, options);
};

export const define: Define = (command, ctx) => {
  command
    .argument('[name]', 'name of the function')
    .option('--lang <lang>', 'template')
    .option('-g, --gateway <url>', 'gateway to write into the stack file')
    .option('--handler <dir>', "folder of the handler (else the function's name)")
    .option('-p, --prefix <prefix>', 'what stands before the name of the image (else $OPENFAAS_PREFIX)')
    .option('-a, --append <file>', 'add the function to this stack file')
    .option('--cpu-request <amount>', 'such as 100m')
    .option('--cpu-limit <amount>', 'such as 1')
    .option('--memory-request <amount>', 'such as 64Mi')
    .option('--memory-limit <amount>', 'such as 256Mi');
  addSwitch(command, '--list', 'list the templates');
  addSwitch(command, '-q, --quiet', "do not show the template's welcome");
  command.action((name: string | undefined) => run(ctx, name, command));
};

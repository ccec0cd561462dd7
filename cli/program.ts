// The command tree on one screen. A command's own flags and code are loaded when it is the one that runs.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { FlagCommand } from './flag-command.ts';

/** Adds a command's arguments, flags and action. */
export type Define = (command: Command, ctx: Context) => void;

type Row = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: Define }>;
};

const functions: readonly Row[] = [
  { name: 'new', summary: 'make a new function from a template', load: () => import('./commands/new.ts') },
  { name: 'up', summary: 'build, upload and deploy, then wait until it answers', load: () => import('./commands/up.ts') },
  { name: 'build', summary: 'build functions into bundles', load: () => import('./commands/build.ts') },
  {
    name: 'push',
    summary: 'upload built bundles to the gateway, or push images of them',
    load: () => import('./commands/push.ts'),
  },
  { name: 'deploy', summary: 'deploy built functions', load: () => import('./commands/deploy.ts') },
  { name: 'list', aliases: ['ls'], summary: 'list functions', load: () => import('./commands/list.ts') },
  { name: 'describe', summary: 'show everything about a function', load: () => import('./commands/describe.ts') },
  { name: 'invoke', summary: 'call a function with standard input as the body', load: () => import('./commands/invoke.ts') },
  { name: 'logs', summary: 'show the logs of a function', load: () => import('./commands/logs.ts') },
  { name: 'scale', summary: 'set the number of replicas', load: () => import('./commands/scale.ts') },
  { name: 'remove', aliases: ['rm', 'delete'], summary: 'remove functions', load: () => import('./commands/remove.ts') },
];

const platform: readonly Row[] = [
  { name: 'gateway', summary: 'run the gateway on this machine', load: () => import('./commands/gateway.ts') },
  { name: 'install', summary: 'put the gateway into a Kubernetes cluster', load: () => import('./commands/install.ts') },
  { name: 'uninstall', summary: 'take the gateway out of a Kubernetes cluster', load: () => import('./commands/uninstall.ts') },
  { name: 'login', summary: 'store the credentials of a gateway', load: () => import('./commands/login.ts') },
  { name: 'logout', summary: 'forget the credentials of a gateway', load: () => import('./commands/logout.ts') },
  { name: 'ready', summary: 'wait until the gateway or a function is ready', load: () => import('./commands/ready.ts') },
  { name: 'secret', summary: 'manage secrets', load: () => import('./commands/secret.ts') },
  { name: 'namespace', aliases: ['ns'], summary: 'manage namespaces', load: () => import('./commands/namespace.ts') },
  { name: 'namespaces', summary: 'list namespaces', load: () => import('./commands/namespaces.ts') },
  { name: 'version', summary: 'show the versions of the command and the gateway', load: () => import('./commands/version.ts') },
];

const setUp = (program: Command, ctx: Context): Command =>
  program
    .name('sluice')
    .description('Make, deploy and call functions.')
    .usage('[flags] <command>')
    .option('-f, --yaml <file>', 'stack file, or its http(s) URL (else stack.yaml or stack.yml)')
    .option('--regex <pattern>', 'only functions of the stack file that match the regular expression')
    .option('--filter <wildcard>', 'only functions of the stack file that match, such as "img-*"')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ctx.stdout.write(text),
      writeErr: (text) => ctx.stderr.write(text),
      getOutHelpWidth: () => ctx.stdout.columns ?? 100,
      getErrHelpWidth: () => ctx.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command');

export const createProgram = (ctx: Context): Command => {
  const program = setUp(new FlagCommand(), ctx);
  const loaders = new Map<string, Row['load']>();
  const add = (heading: string, rows: readonly Row[]): void => {
    for (const { name, aliases = [], summary, load } of rows) {
      loaders.set(name, load);
      program
        .command(name)
        .aliases([...aliases])
        .summary(summary)
        .helpGroup(heading);
    }
  };
  add('Functions:', functions);
  add('Platform:', platform);
  // Why last: commands made before do not take it over, and have flags of their own to look up.
  program.showHelpAfterError('`sluice --help` lists the commands');
  program.hook('preSubcommand', async (_program, command) => {
    const loaded = await loaders.get(command.name())?.();
    loaded?.define(command.description(command.summary()), ctx);
  });
  return program;
};

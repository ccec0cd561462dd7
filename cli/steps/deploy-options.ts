// The flags of `deploy` that `up` has too, and what they mean.
import type { Command } from 'commander';
import { FaasError } from '../../provider/types/errors.ts';
import type { Client } from '../client/client.ts';
import { findInfo } from '../client/info.ts';
import {
  addDuration,
  addList,
  addSwitch,
  type GatewayOptions,
  type GlobalOptions,
  gatewayOptions,
  type NamespaceOption,
  namespaceOption,
  type OutputOption,
  outputOption,
  parseCount,
  type StackOption,
  stackOption,
} from '../options.ts';
import { parsePairs } from '../stack/pairs.ts';
import type { DeployFlags } from '../stack/to-deployment.ts';
import type { DeployPlan } from './deploy-function.ts';

export type DeployOptions = GlobalOptions &
  GatewayOptions &
  NamespaceOption &
  OutputOption &
  StackOption & {
    readonly env: readonly string[];
    readonly label: readonly string[];
    readonly annotation: readonly string[];
    readonly constraint: readonly string[];
    readonly secret: readonly string[];
    readonly readonly: boolean;
    readonly replace: boolean;
    readonly update: boolean;
    readonly readTemplate: boolean;
    readonly wait: boolean;
    /** Milliseconds. */
    readonly timeout: number;
    readonly tag?: string;
    readonly parallel: number;
  };

const parseParallel = (text: string): number => {
  const count = parseCount(text);
  if (count < 1) throw new FaasError('invalid', `--parallel: expected 1 or more, got ${text}`);
  return count;
};

/** What every command that works on several functions has. */
export const manyOptions = (command: Command): Command => {
  command.option('--parallel <count>', 'functions worked on at a time', parseParallel, 4);
  return stackOption(outputOption(command, false)).option('--tag <mode>', 'image tag: latest, sha, branch, describe or digest');
};

export const deployOptions = (command: Command): Command => {
  addList(command, '-e, --env <key=value>', 'environment variable; repeatable');
  addList(command, '-l, --label <key=value>', 'label; repeatable');
  addList(command, '--annotation <key=value>', 'annotation; repeatable');
  addList(command, '--constraint <text>', 'placement constraint; repeatable');
  addList(command, '--secret <name>', 'secret the function may read; repeatable');
  addSwitch(command, '--readonly', "make the function's file system read-only");
  addSwitch(command, '--replace', 'remove the function first');
  addSwitch(command, '--update', 'update the function when it exists', true);
  addSwitch(command, '--read-template', 'take the command from the template', true);
  addSwitch(command, '--wait', 'wait until the function answers', true);
  addDuration(command, '--timeout <duration>', 'longest time for the deployment, and for the wait', '1m');
  return namespaceOption(gatewayOptions(command));
};

/** @throws invalid for a flag that is no key=value */
export const readDeployFlags = (options: DeployOptions): DeployFlags => ({
  namespace: options.namespace || undefined,
  env: parsePairs('--env', options.env),
  labels: parsePairs('--label', options.label),
  annotations: parsePairs('--annotation', options.annotation),
  constraints: options.constraint,
  secrets: options.secret,
  readOnly: options.readonly,
});

/** Asks the gateway what it runs. */
export const planDeployment = async (client: Client, options: DeployOptions): Promise<DeployPlan> => ({
  flags: readDeployFlags(options),
  update: options.update,
  replace: options.replace,
  wait: options.wait,
  timeoutMs: options.timeout,
  readTemplate: options.readTemplate,
  packaging: (await findInfo(client))?.provider.capabilities?.packaging ?? 'image',
});

// Where the stack file of a command is. The YAML parser is loaded only when there is one.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';
import type { GlobalOptions } from '../options.ts';
import type { Stack } from './stack.ts';

export type LoadOptions = GlobalOptions & { readonly envsubst?: boolean };

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

/** `-f`, else stack.yaml or stack.yml of the working directory; `-f ''` means none. */
export const findStackFile = async (ctx: Context, yaml: string | undefined): Promise<string | undefined> => {
  if (yaml !== undefined) return yaml === '' ? undefined : yaml;
  for (const name of ['stack.yaml', 'stack.yml']) if (await isFile(join(ctx.cwd, name))) return name;
  return undefined;
};

/** `undefined` when there is no stack file and none was asked for. @throws invalid naming file, line and column */
export const findStack = async (ctx: Context, options: LoadOptions): Promise<Stack | undefined> => {
  const file = await findStackFile(ctx, options.yaml);
  if (file === undefined) return undefined;
  const { loadStack } = await import('./load.ts');
  return loadStack(ctx, file, options);
};

/** The whole stack, for commands that take something from it but do not work on its functions. */
export const findWholeStack = (ctx: Context, options: LoadOptions): Promise<Stack | undefined> =>
  findStack(ctx, { ...options, filter: '', regex: '' });

/** `provider.gateway` of the stack file. */
export const stackGateway = async (ctx: Context, options: LoadOptions): Promise<string | undefined> =>
  (await findWholeStack(ctx, options))?.gateway;

/** Why a command has nothing to work on: no stack file, or one without functions. @param doing such as `push` */
export const nothingTo = (doing: string, stack: Stack | undefined, otherwise: string): FaasError => {
  if (stack === undefined) return new FaasError('invalid', `nothing to ${doing}: ${otherwise}`);
  const { file } = stack;
  const hint = `add one with \`sluice new NAME --lang LANG --append ${file}\``;
  return new FaasError('invalid', `nothing to ${doing}: ${file}: functions: expected at least one function, got none; ${hint}`);
};

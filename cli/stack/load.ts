// Reads, substitutes, parses and filters the stack file.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { FaasError } from '../../provider/types/errors.ts';
import { send } from '../client/transport.ts';
import type { Context } from '../context.ts';
import { substitute } from './envsubst.ts';
import { filterStack } from './filter.ts';
import type { LoadOptions } from './find.ts';
import { parseStack } from './parse.ts';
import type { Stack } from './stack.ts';

const download = async (ctx: Context, url: string): Promise<string> => {
  ctx.stderr.write(`reading the stack file ${url}\n`);
  const { env, signal } = ctx;
  const response = await send({ method: 'GET', url, headers: {}, timeoutMs: 120_000, tlsNoVerify: false, env, signal });
  const body = await text(response);
  if (response.statusCode !== 200) {
    throw new FaasError('upstream', `${url}: expected a stack file, got status ${response.statusCode}`);
  }
  return body;
};

const readStackText = async (ctx: Context, file: string): Promise<string> => {
  if (/^https?:\/\//i.test(file)) return download(ctx, file);
  try {
    return await readFile(resolve(ctx.cwd, file), 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new FaasError('not-found', `cannot read the stack file ${file}: ${reason}`, { cause });
  }
};

const substituted = (ctx: Context, file: string, raw: string): string => {
  try {
    return substitute(raw, ctx.env);
  } catch (error) {
    if (error instanceof FaasError) throw new FaasError(error.code, `${file}:${error.message}`, { cause: error });
    throw error;
  }
};

/** @throws invalid naming file, line and column */
export const loadStack = async (ctx: Context, file: string, options: LoadOptions): Promise<Stack> => {
  const raw = await readStackText(ctx, file);
  const stack = parseStack(options.envsubst === false ? raw : substituted(ctx, file, raw), file);
  for (const warning of stack.warnings) ctx.stderr.write(`warning: ${warning}\n`);
  return filterStack(stack, options);
};

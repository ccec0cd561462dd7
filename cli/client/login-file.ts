// The stored logins: faas-cli's ~/.openfaas/config.yml, so that both commands share them.
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';

export type Login = {
  readonly gateway: string;
  readonly auth: string;
  /** `basic`: base64 of user:password; `oauth2`: a bearer token. */
  readonly token: string;
};

/** $OPENFAAS_CONFIG, else ./.openfaas under CI, else ~/.openfaas. */
const loginFolder = (ctx: Context): string => {
  const named = ctx.env.OPENFAAS_CONFIG ?? '';
  if (named !== '') return named;
  const ci = ctx.env.CI ?? '';
  return ci === 'true' || ci === '1' ? join(ctx.cwd, '.openfaas') : join(ctx.home, '.openfaas');
};

const loginFile = (ctx: Context): string => join(loginFolder(ctx), 'config.yml');

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const readText = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

type Entry = Record<string, unknown>;

const parseEntries = async (text: string, file: string): Promise<Entry[]> => {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new FaasError('invalid', `${file}: expected YAML: ${(cause as Error).message}`, { cause });
  }
  const list = isRecord(value) ? value.auths : undefined;
  if (value !== null && value !== undefined && !Array.isArray(list ?? [])) {
    throw new FaasError('invalid', `${file}: auths: expected a list of logins`);
  }
  return (Array.isArray(list) ? list : []).filter(isRecord);
};

/** Keys that we do not know (`options` of single sign-on) stay in the file. */
const readEntries = async (ctx: Context): Promise<Entry[] | undefined> => {
  const file = loginFile(ctx);
  const text = await readText(file);
  return text === undefined ? undefined : parseEntries(text, file);
};

const writeEntries = async (ctx: Context, entries: readonly Entry[]): Promise<void> => {
  const { stringify } = await import('yaml');
  const folder = loginFolder(ctx);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Why a temporary file: a crash half-way must not cost the other logins.
  const temporary = join(folder, `.config.yml.${process.pid}`);
  try {
    await writeFile(temporary, stringify({ auths: entries }), { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, loginFile(ctx));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

// Why lower case too: faas-cli lower-cases the whole address.
const isFor = (entry: Entry, gateway: string): boolean => entry.gateway === gateway || entry.gateway === gateway.toLowerCase();

export const findLogin = async (ctx: Context, gateway: string): Promise<Login | undefined> => {
  const entry = (await readEntries(ctx))?.find((each) => isFor(each, gateway));
  if (entry === undefined || typeof entry.token !== 'string') return undefined;
  return { gateway, auth: String(entry.auth), token: entry.token };
};

/** Replaces the gateway's login if there is one. Resolves to the file. */
export const saveLogin = async (ctx: Context, login: Login): Promise<string> => {
  const others = ((await readEntries(ctx)) ?? []).filter((entry) => !isFor(entry, login.gateway));
  await writeEntries(ctx, [...others, { ...login }]);
  return loginFile(ctx);
};

/** @throws not-found when there is no login for the gateway */
export const removeLogin = async (ctx: Context, gateway: string): Promise<void> => {
  const entries = await readEntries(ctx);
  const others = entries?.filter((entry) => !isFor(entry, gateway));
  if (entries === undefined || others === undefined || others.length === entries.length) {
    throw new FaasError('not-found', `no login for ${gateway} is stored in ${loginFile(ctx)}`);
  }
  await writeEntries(ctx, others);
};

// The Authorization header for a gateway: --token, else the stored login, else the credentials that a gateway on this
// machine keeps in its data directory.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { createPaint } from '../output/paint.ts';
import { isLoopback } from './gateway-address.ts';
import { findLogin } from './login-file.ts';

/** $SLUICE_DATA_DIR, else ~/.sluice. */
export const dataDirectory = (ctx: Context): string => ctx.env.SLUICE_DATA_DIR || join(ctx.home, '.sluice');

export const basicHeader = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const readCredential = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    // Absent or another account's: then there is nothing to use here.
    return undefined;
  }
};

const shortened = (path: string, home: string): string => (path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path);

const fromDataDirectory = async (ctx: Context): Promise<string | undefined> => {
  const directory = dataDirectory(ctx);
  const user = await readCredential(join(directory, 'credentials', 'basic-auth-user'));
  const password = await readCredential(join(directory, 'credentials', 'basic-auth-password'));
  if (!user || !password) return undefined;
  const note = `using the credentials of the gateway's data directory ${shortened(directory, ctx.home)}`;
  ctx.stderr.write(`${createPaint(ctx.stderr, ctx.env).dim(note)}\n`);
  return basicHeader(user, password);
};

/** `undefined` when there are no credentials; the request then goes without. */
export const findAuthorization = async (
  ctx: Context,
  gateway: string,
  token: string | undefined,
): Promise<string | undefined> => {
  if (token !== undefined && token !== '') return `Bearer ${token}`;
  const login = await findLogin(ctx, gateway);
  if (login !== undefined) return login.auth === 'basic' ? `Basic ${login.token}` : `Bearer ${login.token}`;
  return isLoopback(gateway) ? fromDataDirectory(ctx) : undefined;
};

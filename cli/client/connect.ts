// From flags, stack file and stored logins to a client of one gateway.
import type { Context } from '../context.ts';
import { releaseOf } from '../context.ts';
import type { GatewayOptions } from '../options.ts';
import { findAuthorization } from './authorize.ts';
import { type Client, createClient } from './client.ts';
import { isLoopback, pickGateway } from './gateway-address.ts';

export type Target = {
  readonly options: GatewayOptions;
  /** `provider.gateway` of the stack file. */
  readonly stackGateway?: string | undefined;
  /** Default for one request until its response head; 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Instead of what is stored; `null` sends none. */
  readonly authorization?: string | null;
};

export const gatewayOf = (ctx: Context, target: Target): string =>
  pickGateway({ flag: target.options.gateway, stack: target.stackGateway, env: ctx.env.OPENFAAS_URL });

const warnAboutPlainText = (ctx: Context, gateway: string): void => {
  if (gateway.startsWith('https:') || isLoopback(gateway)) return;
  ctx.stderr.write(`warning: credentials go to ${gateway} unencrypted; use https\n`);
};

export const connect = async (ctx: Context, target: Target): Promise<Client> => {
  const gateway = gatewayOf(ctx, target);
  const authorization =
    target.authorization === undefined
      ? await findAuthorization(ctx, gateway, target.options.token)
      : (target.authorization ?? undefined);
  if (authorization !== undefined && !target.options.tlsNoVerify) warnAboutPlainText(ctx, gateway);
  return createClient({
    gateway,
    authorization,
    userAgent: `sluice/${releaseOf(ctx)}`,
    timeoutMs: target.timeoutMs ?? 60_000,
    tlsNoVerify: target.options.tlsNoVerify,
    env: ctx.env,
    signal: ctx.signal,
    trace: ctx.env.FAAS_DEBUG === '1' ? (line) => ctx.stderr.write(`${line}\n`) : undefined,
  });
};

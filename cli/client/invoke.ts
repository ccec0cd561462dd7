// A call of a function. The gateway's credentials never go with it.
import type { IncomingMessage } from 'node:http';
import { arch, platform } from 'node:os';
import { Readable } from 'node:stream';
import { type Context, releaseOf } from '../context.ts';
import { send } from './transport.ts';

export type FunctionCall = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | Readable;
  readonly tlsNoVerify: boolean;
};

const wholeBytes = 1024 * 1024;

/** A small body whole, so that it has a length; a larger one as a stream. */
export const readBody = async (input: Readable): Promise<Buffer | Readable> => {
  const chunks = input[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  let bytes = 0;
  while (bytes <= wholeBytes) {
    const next = await chunks.next();
    if (next.done === true) return Buffer.concat(head);
    const chunk = Buffer.from(next.value);
    head.push(chunk);
    bytes += chunk.length;
  }
  return Readable.from(
    (async function* () {
      yield* head;
      yield* { [Symbol.asyncIterator]: () => chunks };
    })(),
  );
};

/** Resolves with the response head; there is no time limit but the gateway's. */
export const callFunction = (ctx: Context, call: FunctionCall): Promise<IncomingMessage> =>
  send({
    ...call,
    headers: {
      'User-Agent': `sluice/${releaseOf(ctx)} (openfaas; ${platform()}; ${arch()})`,
      ...(Buffer.isBuffer(call.body) ? { 'Content-Length': String(call.body.length) } : {}),
      ...call.headers,
    },
    timeoutMs: 0,
    env: ctx.env,
    signal: ctx.signal,
  });

// Standard input of a command that reads it.
import { addAbortSignal, type Readable } from 'node:stream';
import type { Context } from './context.ts';

/** Fails when the user stops the program instead of ending the input. @param what is read, for the hint on a terminal */
export const openInput = (ctx: Context, what: string): Readable => {
  if (ctx.stdin.isTTY === true) ctx.stderr.write(`reading the ${what} from standard input; end it with Ctrl-D\n`);
  return addAbortSignal(ctx.signal, ctx.stdin as Readable);
};

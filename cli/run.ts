// One run of the command: arguments in, exit code out. Failures become one line on standard error.
import { CommanderError } from 'commander';
import { isFaasError, toFaasError } from '../provider/types/errors.ts';
import type { Context } from './context.ts';
import { createPaint } from './output/paint.ts';
import { createProgram } from './program.ts';
import { ToldFailure } from './told-failure.ts';

/** Runs `sluice <argv>`; the result is the exit code: 0, 1 after any failure, 130 when it was interrupted. */
export const run = async (argv: readonly string[], ctx: Context): Promise<number> => {
  try {
    const program = createProgram(ctx);
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    // Why: `help list` would show a command whose flags have not been loaded.
    const asked = argv[0] === 'help' && argv.length > 1 ? [...argv.slice(1), '--help'] : argv;
    await program.parseAsync(asked, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (error instanceof ToldFailure) return 1;
    // The user stopped it and knows: the exit code is a shell's for ^C.
    if (ctx.signal.aborted) return 130;
    const failure = toFaasError(error);
    const paint = createPaint(ctx.stderr, ctx.env);
    ctx.stderr.write(`${paint.bad('error:')} ${failure.message}\n`);
    // Why only then: a stack helps with our own mistakes and is noise for everybody else's.
    if (!isFaasError(error) && ctx.env.FAAS_DEBUG === '1' && error instanceof Error) ctx.stderr.write(`${error.stack}\n`);
    return 1;
  }
};

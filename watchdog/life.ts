// How a watchdog ends: at once when its function is of no use any more, in order when it is told to.
import { longestTimerMs } from '../provider/types/duration.ts';
import type { Front } from './front.ts';
import type { Runner } from './runners/runner.ts';
import { describeThrown, StartError } from './start-error.ts';

export type LifeParts = {
  readonly front: Front;
  readonly runner: () => Runner | undefined;
  readonly printError: (text: string) => void;
  /** Told first, synchronously, why the process ends. */
  readonly onFailure?: (error: StartError) => void;
};

export type Life = {
  /** Tells everybody who waits, synchronously, and ends the process. */
  die(error: StartError): never;
  /** Finishes the running calls, `drainMs` at most, then ends what was started. Resolves with the number of calls that were cut. */
  stop(intervalMs: number, drainMs: number): Promise<number>;
};

/** Takes over what ends a process unasked: an error nobody caught, and `process.exit` in the function's code. */
export const createLife = ({ front, runner, printError, onFailure }: LifeParts): Life => {
  let ending = false;

  const fail = (error: StartError): void => {
    if (ending) return;
    ending = true;
    printError(error.message);
    onFailure?.(error);
    front.failAll(`watchdog: the function ended: ${error.message.split('\n', 1)[0]}`);
    runner()?.kill();
  };

  const die = (error: StartError): never => {
    fail(error);
    return process.exit(error.exitCode);
  };

  process.on('uncaughtException', (error) => die(new StartError('Exited', describeThrown(error), { cause: error })));
  process.on('exit', (code) => {
    if (ending) return;
    fail(new StartError('Exited', `the function called process.exit(${code})`));
    if (code === 0) process.exitCode = 1;
  });

  return {
    die,
    stop: async (intervalMs, drainMs) => {
      front.refuse();
      if (intervalMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(intervalMs, longestTimerMs)));
      const cut = await front.drain(drainMs);
      await runner()?.stop();
      ending = true;
      return cut;
    },
  };
};

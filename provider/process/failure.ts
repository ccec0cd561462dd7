// Words for why a replica ended or did not start.
import type { FunctionFailure } from '../provider.ts';
import type { Exit } from './spawner/requests.ts';

export type Cause = { readonly reason: string; readonly message: string };

export const describeExit = (exit: Exit): string => {
  if (exit.signal !== null) return `was killed by ${exit.signal}`;
  return exit.code === null ? 'ended' : `exited with code ${exit.code}`;
};

const noise = /^\s*$|^\s+at |^Node\.js v\d|^\s*\^+\s*$|^sluice: /;

/** The last line that says something: stack frames and what Node.js prints after them do not. */
export const lastWords = (lines: readonly string[]): string | undefined => {
  const said = lines.findLast((line) => !noise.test(line));
  return said === undefined ? undefined : said.trim().slice(0, 500);
};

/** What a text of several lines says without stack frames, which are in the function's log. */
export const inOneLine = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !noise.test(line))
    .map((line) => line.trim())
    .join(' ')
    .slice(0, 500);

const heapFull = /JavaScript heap out of memory|Allocation failed - /;

export type Death = {
  readonly exit: Exit;
  readonly outOfMemory: boolean;
  /** Memory limit in words, such as `128Mi`. */
  readonly memoryLimit: string | undefined;
  readonly lines: readonly string[];
};

/** Why a replica that nobody stopped is gone. */
export const causeOfDeath = (death: Death): Cause => {
  const { exit, memoryLimit, lines } = death;
  const words = lastWords(lines);
  if (death.outOfMemory || lines.some((line) => heapFull.test(line))) {
    const limit = memoryLimit === undefined ? '' : ` of ${memoryLimit}`;
    return { reason: 'OOMKilled', message: `a replica was ended because it needed more memory than its limit${limit}` };
  }
  return { reason: 'Exited', message: `a replica ${describeExit(exit)}${words === undefined ? '' : `: ${words}`}` };
};

/** What is reported after `failures` ends in a row: one that exits again and again is in a crash loop. */
export const toFailure = (cause: Cause, failures: number, retryAtMs: number): FunctionFailure => {
  const reason = cause.reason === 'Exited' && failures > 1 ? 'CrashLoop' : cause.reason;
  const message = failures > 1 ? `${cause.message} (${failures} times in a row)` : cause.message;
  return { reason, message, retryAtMs };
};

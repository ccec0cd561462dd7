// After a deployment: looks at the function's status until it answers, fails or the time is up.
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import type { Client } from '../client/client.ts';
import { findFunction } from '../client/functions.ts';
import { openLogs } from '../client/logs.ts';
import type { Context } from '../context.ts';
import { judgeReadiness } from './readiness.ts';

export type Wait = {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
};

const shownLines = 8;

/** Of which those are chosen: a stack trace has more lines of Node.js and of the watchdog than of the function. */
const readLines = 40;

const isForeignFrame = (line: string): boolean =>
  /^\s+at (?:.*\()?(?:async )?(?:node:internal\/|\S*\/watchdog[\w.]*\.cjs:)/.test(line);

/** Without the folder that a function's bundle was unpacked to. */
const shorten = (text: string): string => text.replaceAll(/(?:file:\/\/)?\/[^\s()"']*\/bundles\/[^\s/]+\/[0-9a-f]{64}\//g, '');

/** The function's last lines, for an error message; nothing when the logs cannot be had. */
const lastLines = async (client: Client, wait: Wait): Promise<string> => {
  try {
    const lines: string[] = [];
    const { name, namespace } = wait;
    for await (const message of await openLogs(client, { name, namespace, follow: false, tail: readLines })) {
      lines.push(shorten(message.text.trimEnd()));
    }
    return lines
      .filter((line) => !isForeignFrame(line))
      .slice(-shownLines)
      .map((line) => `\n  | ${line}`)
      .join('');
  } catch (error) {
    if (isFaasError(error)) return '';
    throw error;
  }
};

/** Resolves to false for a function at zero, which the next call starts. @throws unavailable with the reason and the last log lines; timeout */
export const waitUntilReady = async (ctx: Context, client: Client, wait: Wait): Promise<boolean> => {
  const { name, namespace, timeoutMs } = wait;
  const deadline = ctx.now() + timeoutMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 500)) {
    const state = judgeReadiness(await findFunction(client, name, namespace));
    if (state.kind === 'ready') return state.answers;
    if (state.kind === 'failed') {
      const told = state.message === '' ? state.reason : `${state.reason}: ${state.message}`;
      throw new FaasError(
        'unavailable',
        `${name} is deployed but does not work: ${shorten(told)}${await lastLines(client, wait)}`,
      );
    }
    if (ctx.now() + pauseMs > deadline) {
      const lines = await lastLines(client, wait);
      const hint = `\`sluice describe ${name}\` shows its state`;
      throw new FaasError('timeout', `${name} did not answer within ${timeoutMs / 1000} s: ${state.why}; ${hint}${lines}`);
    }
    await ctx.sleep(pauseMs, ctx.signal);
  }
};

// Mode inproc: the handler runs inside this process.
import type { Config, Environment } from '../config.ts';
import { createEventCaller } from '../inproc/event.ts';
import { readBodySettings } from '../inproc/event-body.ts';
import { loadHandler } from '../inproc/load.ts';
import { createWebCaller } from '../inproc/web.ts';
import { StartError } from '../start-error.ts';
import { installWebGlobals } from '../web/globals.ts';
import type { Runner } from './runner.ts';

export type InprocParts = {
  readonly config: Config;
  readonly root: string;
  readonly env: Environment;
  /** Where the stack of a handler's error goes. */
  readonly printError: (text: string) => void;
};

/** @throws StartError (`LoadFailed` or `Invalid`) */
export const createInprocRunner = async ({ config, root, env, printError }: InprocParts): Promise<Runner> => {
  const problems: string[] = [];
  const body = readBodySettings(env, problems);
  if (problems.length > 0) throw new StartError('Invalid', problems.join('; '));
  installWebGlobals(globalThis);
  const handler = await loadHandler(root, config.handler, config.handlerStyle);
  const { writeTimeoutMs } = config;
  const handle =
    handler.style === 'web'
      ? createWebCaller({ handle: handler.handle, writeTimeoutMs, printError })
      : createEventCaller({ ...handler, body, writeTimeoutMs, printError });
  return { handle, ready: () => true, stop: async () => undefined, kill: () => undefined };
};

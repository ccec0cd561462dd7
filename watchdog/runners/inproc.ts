// Mode inproc: the handler runs inside this process.

import { longestTimerMs } from '../../provider/types/duration.ts';
import type { Config, Environment } from '../config.ts';
import { createEventCaller } from '../inproc/event.ts';
import { readBodySettings } from '../inproc/event-body.ts';
import { type Loaded, loadHandler } from '../inproc/load.ts';
import { createWebCaller } from '../inproc/web.ts';
import { StartError } from '../start-error.ts';
import { installWebGlobals } from '../web/globals.ts';
import { createInprocUpgrade } from './inproc-upgrade.ts';
import type { Runner } from './runner.ts';

export type InprocParts = {
  readonly config: Config;
  readonly root: string;
  readonly env: Environment;
  /** Where the stack of a handler's error goes. */
  readonly printError: (text: string) => void;
};

/** @throws StartError (`NeverReady`) when loading takes longer than `ready_timeout` */
const loadInTime = async (config: Config, root: string): Promise<Loaded> => {
  const { handler, handlerStyle, readyTimeoutMs } = config;
  const loading = loadHandler(root, handler, handlerStyle);
  if (readyTimeoutMs === 0) return loading;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      const text = `handler ${handler}: did not finish to load within ready_timeout of ${readyTimeoutMs / 1000}s`;
      late.reject(new StartError('NeverReady', text));
    },
    Math.min(readyTimeoutMs, longestTimerMs),
  );
  try {
    return await Promise.race([loading, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** @throws StartError (`LoadFailed`, `NeverReady` or `Invalid`) */
export const createInprocRunner = async ({ config, root, env, printError }: InprocParts): Promise<Runner> => {
  const problems: string[] = [];
  const body = readBodySettings(env, problems);
  if (problems.length > 0) throw new StartError('Invalid', problems.join('; '));
  installWebGlobals(globalThis);
  const { handler, upgrade } = await loadInTime(config, root);
  const { execTimeoutMs, writeTimeoutMs } = config;
  const handle =
    handler.style === 'web'
      ? createWebCaller({ handle: handler.handle, writeTimeoutMs, printError })
      : createEventCaller({ ...handler, body, writeTimeoutMs, printError });
  const calls = { handle, ready: () => true, stop: async () => undefined, kill: () => undefined };
  return upgrade === undefined
    ? calls
    : { ...calls, upgrade: createInprocUpgrade({ handle: upgrade, execTimeoutMs, printError }) };
};

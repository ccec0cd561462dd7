// Picks the runner of the configured mode.
import type { Config, Environment, Start } from '../config.ts';
import { createHttpRunner } from './http.ts';
import { createInprocRunner } from './inproc.ts';
import type { OnDeath, Runner } from './runner.ts';
import { createSerializingRunner } from './serializing.ts';
import { createStaticRunner } from './static.ts';
import { createStreamingRunner } from './streaming.ts';

export type RunnerParts = {
  readonly config: Config;
  readonly root: string;
  readonly env: Environment;
  readonly start: Start;
  /** Where the stack of a handler's error goes. */
  readonly printError: (text: string) => void;
  readonly onDeath: OnDeath;
  /** Resolve only when the function answers; alone in an image it may take its time behind `/_/ready`. */
  readonly waitUntilReady: boolean;
};

/** @throws StartError when the function cannot be started */
export const createRunner = async (parts: RunnerParts): Promise<Runner> => {
  const { config, env } = parts;
  switch (config.mode) {
    case 'inproc':
      return createInprocRunner(parts);
    case 'http':
      return createHttpRunner(parts);
    case 'streaming':
      return createStreamingRunner(config, env);
    case 'serializing':
      return createSerializingRunner(config, env);
    case 'static':
      return createStaticRunner(config);
  }
};

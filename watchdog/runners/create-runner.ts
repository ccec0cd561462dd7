// Picks the runner of the configured mode.
import type { Config, Environment } from '../config.ts';
import type { Log } from '../log.ts';
import { StartError } from '../start-error.ts';
import { createInprocRunner } from './inproc.ts';
import type { OnDeath, Runner } from './runner.ts';

export type RunnerParts = {
  readonly config: Config;
  readonly root: string;
  readonly env: Environment;
  readonly log: Log;
  readonly printError: (text: string) => void;
  readonly onDeath: OnDeath;
  /** Resolve only when the function answers; alone in an image it may take its time behind `/_/ready`. */
  readonly waitUntilReady: boolean;
};

/** @throws StartError when the function cannot be started */
export const createRunner = async (parts: RunnerParts): Promise<Runner> => {
  switch (parts.config.mode) {
    case 'inproc':
      return createInprocRunner(parts);
    default:
      throw new StartError('Invalid', `mode: ${parts.config.mode}`);
  }
};

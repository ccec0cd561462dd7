// The watchdog: wraps one function behind HTTP. Started alone it is configured by environment variables, as of-watchdog
// is; started with --blank it waits to be told what to run.
import { startBlank } from './blank.ts';
import { isLocked, startStandalone } from './standalone.ts';
import { StartError } from './start-error.ts';

const version = 'sluice watchdog 0.1.0';

const run = async (argument: string | undefined, env: NodeJS.ProcessEnv): Promise<void> => {
  switch (argument?.replace(/^--?/, '')) {
    case undefined:
      return startStandalone(env, version);
    case 'blank':
      return startBlank(env);
    case 'version':
      process.stdout.write(`${version}\n`);
      return;
    case 'run-healthcheck':
      process.exitCode = isLocked(env) ? 0 : 1;
      return;
    default:
      throw new StartError('Invalid', `argument: expected --blank, -version, -run-healthcheck or none, got ${argument}`);
  }
};

run(process.argv[2], process.env).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof StartError ? error.exitCode : 1);
});

// The watchdog: wraps one function behind HTTP. Started alone it is configured by environment variables, as of-watchdog
// is; started with --blank it waits to be told what to run.
import { startBlank } from './blank.ts';
import { StartError } from './start-error.ts';

const version = '0.1.0';

const run = async (argv: readonly string[]): Promise<void> => {
  if (argv.includes('--version') || argv.includes('-version')) process.stdout.write(`sluice watchdog ${version}\n`);
  else if (argv.includes('--blank')) startBlank(process.env);
};

run(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof StartError ? error.exitCode : 1);
});

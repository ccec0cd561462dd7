// The `sluice` program: bin/sluice.js starts the compiled form of this file.
import { processContext } from './context.ts';
import { run } from './run.ts';

const stop = new AbortController();
let stoppedAtMs: number | undefined;
const onInterrupt = (): void => {
  // Why the pause: one ^C can arrive twice, from the terminal and from a launcher that passes it on.
  if (stoppedAtMs !== undefined && performance.now() - stoppedAtMs > 300) process.exit(130);
  stoppedAtMs ??= performance.now();
  stop.abort();
};
// SIGHUP keeps its default, so that nohup works.
process.on('SIGINT', onInterrupt);
process.on('SIGTERM', onInterrupt);
// A reader that has seen enough (`sluice list | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Nobody can be told that nobody can be told: what runs is to go on and to end as it should.
process.stderr.on('error', () => undefined);

process.exitCode = await run(process.argv.slice(2), processContext(stop.signal));

// The `sluice` program: bin/sluice.js starts the compiled form of this file.
import { processContext } from './context.ts';
import { run } from './run.ts';

const stop = new AbortController();
const interrupts: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
let asked = false;
for (const signal of interrupts) {
  process.on(signal, () => {
    if (asked) process.exit(130);
    asked = true;
    stop.abort();
  });
}
// A reader that has seen enough (`sluice list | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), processContext(stop.signal));

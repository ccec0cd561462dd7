// Loaded before every test file (package.json): a file that is not done by then says what keeps it, and ends. Without this
// one thing left open, such as a server that a failed test did not close, holds up the whole run: `--test-timeout` bounds a
// test, and not what stays when it is over.
const limitMs = 8 * 60_000;

const stop = (): void => {
  const kept = process.getActiveResourcesInfo().join(' ');
  process.stderr.write(`${process.argv[1]}: not done after ${limitMs / 60_000} minutes; it is kept by: ${kept}\n`);
  process.exit(1);
};

setTimeout(stop, limitMs).unref();

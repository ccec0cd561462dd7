// The watchdog as one file, bundled from the sources as the build does it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

let built: Promise<string> | undefined;

/** Path of the bundled watchdog; made once for a test file and gone when its process ends. */
export const watchdogFile = (): Promise<string> => {
  built ??= (async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-test-watchdog-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    const outfile = join(dir, 'watchdog.cjs');
    await build({
      entryPoints: [fileURLToPath(new URL('../../../../watchdog/main.ts', import.meta.url))],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      logLevel: 'error',
    });
    return outfile;
  })();
  return built;
};

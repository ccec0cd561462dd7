// Compiles the sources to dist/ and bundles the watchdog into one file.
// Plain JavaScript: it runs under any Node that npm has, before the pinned one is known to work.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packWatchdog } from './pack-watchdog.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

const { build } = await import('esbuild');
const { outputFiles } = await build({
  entryPoints: [join(root, 'watchdog/main.ts')],
  write: false,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  legalComments: 'none',
});
const [{ text: watchdog }] = outputFiles;
// Images get the plain one: the same sources give the same bytes. The embedded provider starts the one that starts faster.
writeFileSync(join(root, 'dist', 'watchdog.cjs'), watchdog);
writeFileSync(join(root, 'dist', 'watchdog.packed.cjs'), await packWatchdog(watchdog));

/** Empty when this is no clone, or git is not there: a package from a registry. */
const describeCommit = () => {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'];
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], { cwd: root, stdio, encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
};
writeFileSync(join(root, 'dist', 'build.json'), `${JSON.stringify({ sha: describeCommit() })}\n`);

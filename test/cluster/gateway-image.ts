// The image of the gateway itself: this package as `npm install --omit=dev` would leave it, on the base from scratch.
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LayerEntry } from '../../cli/build/oci/layer.ts';
import type { Cleanup } from '../helpers/cleanup.ts';
import { runProgram } from '../helpers/process.ts';
import type { Cluster } from './cluster.ts';
import { pushTestImage } from './images.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = 'opt/sluice/app';

/** What a gateway in a cluster never loads: the compiler of `sluice build`, and a Node.js that the base has already. */
const notNeeded = /^node_modules\/(@typescript\/|typescript$|node-(linux|darwin|bin)|@types\/|@esbuild\/)/;

async function* filesUnder(path: string): AsyncGenerator<string> {
  const found = await lstat(path);
  if (found.isFile()) yield path;
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) {
    if (name !== '.bin') yield* filesUnder(join(path, name));
  }
}

/** Installed packages that this one depends on, paths relative to it. */
const dependencies = async (t: Cleanup): Promise<string[]> => {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' };
  // Optional packages of other platforms are missing, for which npm ends with 1.
  const { stdout } = await runProgram(t, 'npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, env });
  const paths = stdout.split('\n').map((line) => line.slice(line.indexOf('node_modules/')));
  return [...new Set(paths)].filter((path) => path.startsWith('node_modules/') && !notNeeded.test(path));
};

const entriesOf = async (paths: readonly string[]): Promise<LayerEntry[]> => {
  const entries = new Map<string, LayerEntry>();
  for (const path of paths) {
    for await (const file of filesUnder(join(root, path))) {
      const at = `${home}/${relative(root, file)}`;
      const { size, mode } = await stat(file);
      entries.set(at, { kind: 'file', path: at, mode: mode & 0o111 ? 0o755 : 0o644, source: { file, bytes: size } });
    }
  }
  return [...entries.values()];
};

/** Listens on every interface; `sluice gateway` and its settings come as the container's arguments. */
export const gatewayImage = async (t: Cleanup, cluster: Cluster): Promise<string> =>
  pushTestImage(cluster, {
    name: 'sluice-gateway',
    entries: await entriesOf(['bin', 'dist', 'package.json', ...(await dependencies(t))]),
    environment: { SLUICE_HOST: '0.0.0.0', HOME: '/tmp' },
    entrypoint: ['/opt/sluice/bin/node', `/${home}/bin/sluice.js`],
    workdir: `/${home}`,
  });

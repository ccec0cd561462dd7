// Images of small functions in the cluster's registry, made by our own builder on a base from scratch: nothing is pulled.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { composeImage, composeManifest } from '../../cli/build/oci/compose.ts';
import type { LayerEntry } from '../../cli/build/oci/layer.ts';
import { createLayerCache } from '../../cli/build/oci/layer-cache.ts';
import { openLayout } from '../../cli/build/oci/layout.ts';
import { hostPlatform } from '../../cli/build/oci/media-types.ts';
import { pushImage } from '../../cli/build/oci/push-image.ts';
import { createRegistry } from '../../cli/build/oci/registry.ts';
import { launcher } from '../../cli/build/oci/runtime-layer.ts';
import { buildScratchBase } from '../../cli/build/oci/scratch-base.ts';
import { readBase } from '../../cli/build/oci/source.ts';
import type { Cluster } from './cluster.ts';

/** Compressing Node.js takes seconds; it is done once for all runs. */
export const cacheDir = join(tmpdir(), 'sluice-test-images');

const watchdogPath = fileURLToPath(new URL('../../dist/watchdog.cjs', import.meta.url));

export type ImageParts = {
  readonly name: string;
  readonly entries: readonly LayerEntry[];
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly workdir: string;
};

/** The directory of a base image, an OCI layout; made unless it is there for this watchdog and Node.js. */
export const scratchBaseDir = async (): Promise<string> => {
  const key = createHash('sha256')
    .update(await readFile(watchdogPath))
    .update(process.version)
    .digest('hex');
  const dir = join(cacheDir, `node-${key.slice(0, 16)}`);
  const isThere = await readFile(join(dir, 'index.json')).then(
    () => true,
    () => false,
  );
  if (!isThere) await buildScratchBase({ kind: 'node', dir, watchdogPath, cacheDir, env: process.env });
  return dir;
};

/** Builds the image and pushes it; resolves to the name to deploy, which is another one whenever the content is. */
export const pushTestImage = async (cluster: Cluster, parts: ImageParts): Promise<string> => {
  const { name, entries, environment, entrypoint, workdir } = parts;
  const platform = hostPlatform();
  const base = await readBase(await openLayout(await scratchBaseDir(), 'node'), platform);
  const layer = await createLayerCache(cacheDir).make({ entries, withParents: true, createdBy: `test image ${name}` });
  const settings = { environment, entrypoint, workdir, user: '1000', port: 8080, labels: {} };
  const image = composeImage([composeManifest(base, [layer], settings, '1970-01-01T00:00:00Z')]);
  const { digest } = image.root.descriptor;
  const tag = digest.slice('sha256:'.length, 'sha256:'.length + 12);
  const registry = createRegistry({
    registry: cluster.registry,
    insecure: [cluster.registry],
    findCredentials: async () => undefined,
    env: {},
    now: Date.now,
    random: Math.random,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    signal: AbortSignal.timeout(120_000),
  });
  try {
    await pushImage({ registry, repository: name }, { tag }, image);
  } finally {
    await registry.close();
  }
  return `${cluster.registry}/${name}:${tag}`;
};

/** An image of a module that exports `handler(request)`, run by our watchdog in its own process. */
export const handlerImage = (
  cluster: Cluster,
  name: string,
  source: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> =>
  pushTestImage(cluster, {
    name,
    entries: [{ kind: 'file', path: 'home/app/handler.mjs', mode: 0o644, source: Buffer.from(source) }],
    // A pod that ends goes on serving for healthcheck_interval: half a minute unless told, which tests would have to wait for.
    environment: { mode: 'inproc', handler: 'handler.mjs', handler_style: 'web', healthcheck_interval: '3s', ...environment },
    entrypoint: [launcher],
    workdir: '/home/app',
  });

/** The image of a function in functions/; what each does stands in the first line of its file. */
export const functionImage = async (cluster: Cluster, name: 'version' | 'arrivals'): Promise<string> =>
  handlerImage(cluster, name, await readFile(new URL(`functions/${name}.js`, import.meta.url), 'utf8'));

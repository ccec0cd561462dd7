// Small images and a client without real pauses, for the tests of this folder.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { blobOfBytes, sha256 } from '../../../../cli/build/oci/blob.ts';
import { type BuiltImage, composeImage, composeManifest, emptyBase } from '../../../../cli/build/oci/compose.ts';
import type { Credentials } from '../../../../cli/build/oci/credentials.ts';
import { createImageBuilder, type ImageBuilder } from '../../../../cli/build/oci/image-builder.ts';
import type { Layer } from '../../../../cli/build/oci/layer.ts';
import { mediaTypes, type Platform } from '../../../../cli/build/oci/media-types.ts';
import { createRegistry, type Registry } from '../../../../cli/build/oci/registry.ts';
import { type Cleanup, onEnd } from '../../../helpers/cleanup.ts';
import { makeTmpDir } from '../../../helpers/tmp.ts';

export const amd64: Platform = { os: 'linux', architecture: 'amd64' };
export const arm64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

/** Its tar is only bytes: nothing here unpacks it. */
export const layerOf = (content: Buffer | string): Layer => {
  const tar = Buffer.from(content);
  return { blob: blobOfBytes(mediaTypes.gzipLayer, gzipSync(tar)), diffId: sha256(tar), createdBy: 'test' };
};

export const imageOf = (layers: readonly Layer[], platforms: readonly Platform[] = [amd64]): BuiltImage =>
  composeImage(
    platforms.map((platform) =>
      composeManifest(
        emptyBase(platform),
        layers,
        { environment: { BASE: 'yes', PATH: '/base/bin:/bin' }, entrypoint: ['/base'], labels: { base: '1' } },
        '1970-01-01T00:00:00Z',
      ),
    ),
  );

export type Client = { readonly registry: Registry; readonly pauses: number[] };

export const connectTo = (t: Cleanup, name: string, credentials?: Credentials): Client => {
  const pauses: number[] = [];
  const registry = createRegistry({
    registry: name,
    insecure: [],
    findCredentials: async () => credentials,
    env: {},
    now: Date.now,
    sleep: async (ms) => void pauses.push(ms),
    random: () => 0.5,
    signal: new AbortController().signal,
  });
  onEnd(t, () => registry.close());
  return { registry, pauses };
};

export type Workshop = { readonly builder: ImageBuilder; readonly dir: string; readonly home: string };

/** A builder whose Node.js is a short text, for both platforms. */
export const createWorkshop = async (t: Cleanup, env: Readonly<Record<string, string>> = {}): Promise<Workshop> => {
  const dir = await makeTmpDir(t);
  const node = join(dir, 'node');
  await writeFile(node, 'a program');
  await writeFile(join(dir, 'watchdog.cjs'), 'a watchdog');
  const builder = createImageBuilder({
    env: { SLUICE_NODE_LINUX_AMD64: node, SLUICE_NODE_LINUX_ARM64: node, PATH: process.env.PATH ?? '', ...env },
    home: dir,
    cwd: dir,
    watchdogPath: join(dir, 'watchdog.cjs'),
    cacheDir: join(dir, 'cache'),
    now: Date.now,
    sleep: async () => undefined,
    random: () => 0.5,
    signal: new AbortController().signal,
  });
  onEnd(t, () => builder.close());
  return { builder, dir, home: dir };
};

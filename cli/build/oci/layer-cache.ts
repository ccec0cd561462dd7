// Layers that many functions share (Node.js, libraries) and that take seconds to compress are kept between builds.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { blobOfFile } from './blob.ts';
import { compressLayer, type Layer, type LayerEntry, writeLayerTar } from './layer.ts';
import { Descriptor } from './media-types.ts';

export type LayerRequest = {
  readonly entries: readonly LayerEntry[];
  /** See writeLayerTar. */
  readonly withParents: boolean;
  readonly createdBy: string;
};

export type LayerCache = {
  /** The layer of these entries, compressed once. */
  make(request: LayerRequest): Promise<Layer>;
};

const keptMs = 30 * 24 * 3_600_000;

const hashFile = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
};

/** What is there and whole: a disk that was full or a machine that stopped may have left anything. */
const readCached = async (file: string): Promise<Descriptor | undefined> => {
  const text = await readFile(`${file}.json`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const known = Descriptor.safeParse(JSON.parse(text));
    const isWhole = known.success && known.data.digest === `sha256:${await hashFile(file)}`;
    return isWhole ? known.data : undefined;
  } catch {
    return undefined;
  }
};

/** What no build has used for a month, and what killed ones left, goes. */
const prune = async (dir: string, now: number): Promise<void> => {
  for (const name of await readdir(dir)) {
    const file = join(dir, name);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() && now - found.mtimeMs > keptMs) await rm(file, { force: true });
  }
};

type Making = { readonly tar: string; readonly file: string; readonly diffId: string; readonly createdBy: string };

const makeOrFind = async (dir: string, { tar, file, diffId, createdBy }: Making, now: () => number): Promise<Layer> => {
  const known = await readCached(file);
  if (known !== undefined) {
    const used = new Date(now());
    for (const each of [file, `${file}.json`]) await utimes(each, used, used);
    return { blob: blobOfFile(known, file), diffId, createdBy };
  }
  await prune(dir, now());
  const layer = await compressLayer(tar, file, createdBy);
  const partial = `${file}.json.${randomUUID()}.partial`;
  await writeFile(partial, JSON.stringify(layer.blob.descriptor));
  await rename(partial, `${file}.json`);
  return layer;
};

/** @param dir made when it is needed; several processes may use it at once */
export const createLayerCache = (dir: string, now: () => number = Date.now): LayerCache => {
  // Functions that are built side by side want the same layer at the same time.
  const underWay = new Map<string, Promise<Layer>>();
  return {
    make: async ({ entries, withParents, createdBy }) => {
      await mkdir(dir, { recursive: true });
      const tar = join(dir, `${randomUUID()}.tar`);
      try {
        await writeLayerTar(tar, entries, withParents);
        const diffHex = await hashFile(tar);
        const file = join(dir, `${diffHex}.tar.gz`);
        const making =
          underWay.get(diffHex) ??
          makeOrFind(dir, { tar, file, diffId: `sha256:${diffHex}`, createdBy }, now).finally(() => underWay.delete(diffHex));
        underWay.set(diffHex, making);
        return { ...(await making), createdBy };
      } finally {
        await rm(tar, { force: true });
      }
    },
  };
};

// OCI image layouts: a directory, or the same in one tar, from which images are read and into which they are written.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FaasError } from '../../../provider/types/errors.ts';
import type { Blob } from './blob.ts';
import type { BuiltImage } from './compose.ts';
import { type Descriptor, parseIndex } from './media-types.ts';
import type { ImageSource } from './source.ts';
import { indexTar, type TarIndex } from './tar-index.ts';

const refName = 'org.opencontainers.image.ref.name';

type Files = {
  read(path: string): Promise<Buffer>;
  open(path: string): Promise<NodeJS.ReadableStream & AsyncIterable<Buffer>>;
};

const filesOfDirectory = (dir: string): Files => ({
  read: (path) => readFile(join(dir, path)),
  open: async (path) => {
    const stream = createReadStream(join(dir, path), { highWaterMark: 256 * 1024 });
    await once(stream, 'open');
    return stream;
  },
});

const filesOfArchive = (file: string, index: TarIndex): Files => {
  const rangeOf = (path: string): { start: number; end: number } => {
    const found = index.get(path);
    if (found === undefined) throw new FaasError('invalid', `${file}: has no ${path}`);
    return { start: found.offset, end: found.offset + found.bytes - 1 };
  };
  const open = async (path: string) => {
    const { start, end } = rangeOf(path);
    // Why: a range without bytes cannot be written as start and end.
    return createReadStream(file, end < start ? { start: 0, end: -1 } : { start, end, highWaterMark: 256 * 1024 });
  };
  return { open, read: async (path) => Buffer.concat(await (await open(path)).toArray()) };
};

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

const pickRoot = (where: string, manifests: readonly Descriptor[], tag: string | undefined): Descriptor => {
  const names = manifests.map((each) => each.annotations?.[refName]).filter((name) => name !== undefined);
  const shown = names.length === 0 ? 'no names' : names.join(', ');
  if (tag === undefined) {
    const [only, ...others] = manifests;
    if (only !== undefined && others.length === 0) return only;
    throw new FaasError('invalid', `${where}: expected one image, or a name behind the path as in oci:dir:name; it has ${shown}`);
  }
  const found = manifests.find((each) => each.annotations?.[refName] === tag);
  if (found !== undefined) return found;
  throw new FaasError('not-found', `${where}: has no image called ${JSON.stringify(tag)}; it has ${shown}`);
};

/**
 * @param tag the image's name in the layout; needed when it holds several
 * @throws invalid when there is no layout at `path`
 */
export const openLayout = async (path: string, tag?: string): Promise<ImageSource> => {
  const found = await stat(path).catch((error: Error) => {
    throw new FaasError('not-found', `${path}: expected an OCI layout, a directory or a tar: ${error.message}`, { cause: error });
  });
  const files = found.isDirectory() ? filesOfDirectory(path) : filesOfArchive(path, await indexTar(path));
  const bytes = await files.read('index.json').catch((cause: Error) => {
    throw new FaasError('invalid', `${path}: expected an OCI layout with an index.json`, { cause });
  });
  const root = pickRoot(path, parseIndex(`${path}: index.json`, bytes).manifests, tag);
  const blob = (descriptor: Descriptor): Blob => ({
    descriptor,
    open: async () => {
      const stream = await files.open(blobPath(descriptor.digest)).catch((cause: Error) => {
        throw new FaasError('invalid', `${path}: cannot read ${blobPath(descriptor.digest)}: ${cause.message}`, { cause });
      });
      return stream as Awaited<ReturnType<Blob['open']>>;
    },
  });
  return { name: path, reference: undefined, root: async () => root, blob, document: blob };
};

const writeBlob = async (dir: string, blob: Blob): Promise<void> => {
  const file = join(dir, blobPath(blob.descriptor.digest));
  const known = await stat(file).catch(() => undefined);
  if (known?.size === blob.descriptor.size) return;
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await pipeline(await blob.open(), createWriteStream(partial));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

const writeDocument = async (file: string, bytes: Buffer | string): Promise<void> => {
  const partial = `${file}.${randomUUID()}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, file);
};

/** Writes the whole image, its base included, as the only one in `dir`; `name` is its tag there. */
export const writeLayout = async (dir: string, image: BuiltImage, name: string): Promise<void> => {
  const blobs = join(dir, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = (digest: string, bytes: Buffer): Promise<void> => writeDocument(join(dir, blobPath(digest)), bytes);
  for (const manifest of image.manifests) {
    for (const blob of manifest.blobs) await writeBlob(dir, blob);
    await put(manifest.descriptor.digest, manifest.bytes);
  }
  const { descriptor, bytes } = image.root;
  await put(descriptor.digest, bytes);
  await writeDocument(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const entry = { ...descriptor, annotations: { [refName]: name } };
  await writeDocument(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
};

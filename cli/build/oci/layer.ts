// Makes layers: a sorted tar without times and owners, compressed so that the same input gives the same bytes.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Header, type Pack, pack } from 'tar-stream';
import { byCodeUnit } from '../files.ts';
import { type Blob, blobOfFile } from './blob.ts';
import { mediaTypes } from './media-types.ts';

/** Paths are relative to the image's root, without a slash in front. */
export type LayerEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly source: FileSource | Buffer }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/** A file on this machine, or a range of one. */
export type FileSource = { readonly file: string; readonly bytes: number };

export type Layer = {
  readonly blob: Blob;
  /** Digest of the tar before compression. */
  readonly diffId: string;
  /** For the image's history. */
  readonly createdBy: string;
};

const anonymous = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) } as const;
const chunkBytes = 256 * 1024;

const headerOf = (entry: LayerEntry): Header => {
  const common = { ...anonymous, name: entry.path } as const;
  if (entry.kind === 'directory') return { ...common, type: 'directory', mode: entry.mode ?? 0o755, size: 0 } as Header;
  if (entry.kind === 'symlink') return { ...common, type: 'symlink', linkname: entry.target, mode: 0o777, size: 0 } as Header;
  const size = Buffer.isBuffer(entry.source) ? entry.source.length : entry.source.bytes;
  return { ...common, type: 'file', mode: entry.mode, size } as Header;
};

/** Adds one entry; resolves when the tar has taken all of it. */
export const addEntry = async (tar: Pack, header: Header, content: Readable | undefined): Promise<void> => {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const sink = tar.entry(header, (error) => (error ? reject(error) : resolve()));
  if (content === undefined) return done;
  done.catch(() => undefined);
  await pipeline(content, sink as unknown as NodeJS.WritableStream);
  return done;
};

const contentOf = (entry: LayerEntry): Readable | undefined => {
  if (entry.kind !== 'file') return undefined;
  if (Buffer.isBuffer(entry.source)) return Readable.from(entry.source.length === 0 ? [] : [entry.source]);
  return createReadStream(entry.source.file, { highWaterMark: chunkBytes });
};

/** The folders that the entries lie in and do not name themselves, and the entries, parents first. */
const inOrder = (entries: readonly LayerEntry[], withParents: boolean): LayerEntry[] => {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of withParents ? entries : []) {
    const parts = path.split('/');
    for (let count = parts.length - 1; count > 0; count -= 1) {
      const parent = parts.slice(0, count).join('/');
      if (!all.has(parent)) all.set(parent, { kind: 'directory', path: parent });
    }
  }
  return [...all.values()].sort((a, b) => byCodeUnit(a.path, b.path));
};

/** Streams into `file`: complete when it resolves, absent when it rejects. */
const writeWhole = async (file: string, write: (partial: string) => Promise<void>): Promise<void> => {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await write(partial);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

/** Feeds a tar and writes it to `file`, whoever of the two fails. */
export const writeTar = (file: string, fill: (tar: Pack) => Promise<void>): Promise<void> =>
  writeWhole(file, async (partial) => {
    const tar = pack();
    const written = pipeline(tar as unknown as NodeJS.ReadableStream, createWriteStream(partial));
    const filled = fill(tar).then(
      () => tar.finalize(),
      (error: unknown) => {
        tar.destroy();
        throw error;
      },
    );
    const [filling, writing] = await Promise.allSettled([filled, written]);
    // Why in this order: a failed filling ends the writing too, and is the cause then.
    for (const side of [filling, writing]) if (side.status === 'rejected') throw side.reason;
  });

/**
 * @param withParents name the parent folders too, owned by root and readable by all. Without, a folder of the base keeps
 *   its owner and mode, and a link in its place stays a link
 */
export const writeLayerTar = (file: string, entries: readonly LayerEntry[], withParents = true): Promise<void> =>
  writeTar(file, async (tar) => {
    for (const entry of inOrder(entries, withParents)) await addEntry(tar, headerOf(entry), contentOf(entry));
  });

/** Gzip names the system it ran on in byte 9; the layer should not depend on it. */
const anonymousGzip = (): Transform => {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (seen <= 9 && seen + chunk.length > 9) chunk[9 - seen] = 255;
      seen += chunk.length;
      done(null, chunk);
    },
  });
};

const hashing = (): { readonly through: Transform; readonly digest: () => string; readonly bytes: () => number } => {
  const hash = createHash('sha256');
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { through, digest: () => `sha256:${hash.digest('hex')}`, bytes: () => bytes };
};

/** Pieces of one size: how a compressor is fed must not decide what it makes. */
async function* piecesOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(chunkBytes);
      let filled = 0;
      while (filled < chunkBytes) {
        const { bytesRead } = await handle.read(piece, filled, chunkBytes - filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      if (filled > 0) yield piece.subarray(0, filled);
      if (filled < chunkBytes) return;
    }
  } finally {
    await handle.close();
  }
}

/** Compresses a tar to `file` and describes the result as a layer. */
export const compressLayer = async (tarFile: string, file: string, createdBy: string, signal?: AbortSignal): Promise<Layer> => {
  const plain = hashing();
  const packed = hashing();
  await writeWhole(file, (partial) =>
    pipeline(
      Readable.from(piecesOf(tarFile), { objectMode: false }),
      plain.through,
      createGzip({ level: 6 }),
      anonymousGzip(),
      packed.through,
      createWriteStream(partial),
      ...(signal === undefined ? [] : [{ signal }]),
    ),
  );
  const descriptor = { mediaType: mediaTypes.gzipLayer, digest: packed.digest(), size: packed.bytes() };
  return { blob: blobOfFile(descriptor, file), diffId: plain.digest(), createdBy };
};

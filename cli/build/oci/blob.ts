// Content-addressed pieces of an image, wherever their bytes are.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Descriptor } from './media-types.ts';

/** A repository that has the blob, from which another one of the same registry can mount it. */
export type Origin = { readonly registry: string; readonly repository: string };

export type Blob = {
  readonly descriptor: Descriptor;
  /** May be called again after a failure. */
  readonly open: () => Promise<Readable>;
  readonly origin?: Origin | undefined;
};

export const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const blobOfBytes = (mediaType: string, bytes: Buffer): Blob => ({
  descriptor: { mediaType, digest: sha256(bytes), size: bytes.length },
  open: async () => Readable.from([bytes]),
});

export const blobOfFile = (descriptor: Descriptor, file: string): Blob => ({
  descriptor,
  open: async () => createReadStream(file, { highWaterMark: 256 * 1024 }),
});

/** JSON of a document of ours. Keys keep the order in which the code writes them, so that the bytes never vary. */
export const jsonBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

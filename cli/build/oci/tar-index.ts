// Where the files of an uncompressed tar lie, so that single ones can be read without unpacking it.
import { open } from 'node:fs/promises';
import { FaasError } from '../../../provider/types/errors.ts';

export type TarIndex = ReadonlyMap<string, { readonly offset: number; readonly bytes: number }>;

const blockBytes = 512;

const textAt = (block: Buffer, from: number, length: number): string => {
  const end = block.indexOf(0, from);
  return block.toString('utf8', from, end === -1 || end > from + length ? from + length : end);
};

const sizeOf = (block: Buffer): number => {
  // GNU tar's base 256 for what does not fit into eleven octal digits.
  if (((block[124] ?? 0) & 0x80) !== 0) return Number(block.readBigUInt64BE(128));
  return Number.parseInt(textAt(block, 124, 12).trim() || '0', 8);
};

const isUstar = (block: Buffer): boolean => block.toString('latin1', 257, 262) === 'ustar';

/** Plain files only, by their path without `./`. @throws invalid for what is no tar */
export const indexTar = async (file: string): Promise<TarIndex> => {
  const handle = await open(file, 'r');
  try {
    const found = new Map<string, { offset: number; bytes: number }>();
    const block = Buffer.alloc(blockBytes);
    for (let offset = 0; ; ) {
      const { bytesRead } = await handle.read(block, 0, blockBytes, offset);
      if (bytesRead < blockBytes || block.every((byte) => byte === 0)) return found;
      const bytes = sizeOf(block);
      if (!isUstar(block) || !Number.isSafeInteger(bytes)) {
        throw new FaasError('invalid', `${file}: expected an uncompressed tar with an OCI layout`);
      }
      const prefix = textAt(block, 345, 155);
      const name = textAt(block, 0, 100);
      const path = (prefix === '' ? name : `${prefix}/${name}`).replace(/^\.\//, '');
      const kind = block[156];
      if (kind === 0 || kind === 0x30) found.set(path, { offset: offset + blockBytes, bytes });
      offset += blockBytes + Math.ceil(bytes / blockBytes) * blockBytes;
    }
  } finally {
    await handle.close();
  }
};

// Takes an upload to a file, counting and hashing on the way. The bytes are looked at only once the digest has proved right.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { FaasError, isFaasError } from '../../types/errors.ts';

const tooLarge = (maxBytes: number): FaasError =>
  new FaasError('too-large', `bundle: expected at most ${maxBytes} bytes, got more`);

const write = async (handle: FileHandle, chunk: Uint8Array): Promise<void> => {
  try {
    await handle.writeFile(chunk);
  } catch (error) {
    throw new FaasError('internal', `bundle: could not be stored: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Reads `body` no further than the chunk that goes over the limit.
 * @throws too-large over `maxBytes`; invalid when the bytes have another digest or the body breaks off
 */
export const receive = async (body: AsyncIterable<Uint8Array>, file: string, digest: string, maxBytes: number): Promise<void> => {
  const hash = createHash('sha256');
  let bytes = 0;
  await using handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      await write(handle, chunk);
    }
  } catch (error) {
    if (isFaasError(error)) throw error;
    throw new FaasError('invalid', `bundle: the upload broke off after ${bytes} bytes: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const got = hash.digest('hex');
  if (got !== digest)
    throw new FaasError('invalid', `digest: expected ${digest}, as the address says, got ${got} for ${bytes} bytes`);
};

/** Reads a body to its end, or to `maxBytes`, for a sender that waits for this before it reads the answer. */
export const drain = async (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<void> => {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) return;
    }
  } catch {
    // The sender went away; what it sent was not needed.
  }
};

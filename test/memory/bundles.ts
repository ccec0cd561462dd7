// Uploaded bundles in memory. The tar is looked at only so far that other bytes are refused.
import { createHash } from 'node:crypto';
import type { Bundles } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';

const isTar = (bytes: Buffer): boolean => bytes.length >= 512 && bytes.toString('latin1', 257, 262) === 'ustar';

export const createMemoryBundles = (maxBytes: number): Bundles => {
  const stored = new Set<string>();
  return {
    has: async (digest) => stored.has(digest),
    async put(digest, body) {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of body) {
        length += chunk.length;
        if (length > maxBytes) throw new FaasError('too-large', `bundle: expected at most ${maxBytes} bytes, got more`);
        chunks.push(chunk);
      }
      const bytes = Buffer.concat(chunks);
      const got = createHash('sha256').update(bytes).digest('hex');
      if (got !== digest) throw new FaasError('invalid', `digest: expected ${digest}, got bytes with ${got}`);
      if (!isTar(bytes)) throw new FaasError('invalid', 'bundle: expected a tar, got other bytes');
      stored.add(digest);
    },
  };
};

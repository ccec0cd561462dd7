// Makes bundles for tests.
import { createHash } from 'node:crypto';
import { type Header, pack } from 'tar-stream';

export type Item = Partial<Header> & { readonly name: string; readonly content?: string | Buffer | undefined };

export type Archive = { readonly digest: string; readonly bytes: Buffer };

export const config = { version: 1, language: 'node', mode: 'inproc', handler: 'handler.js' };

export const sluiceJson = (change: object = {}): Item => ({
  name: 'sluice.json',
  content: JSON.stringify({ ...config, ...change }),
});

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A tar of exactly these items, valid or not. */
export const tarOf = async (...items: readonly Item[]): Promise<Archive> => {
  const tar = pack();
  for (const { content, ...header } of items) tar.entry({ mtime: new Date(0), ...header }, content ?? '');
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  return { digest: sha256(bytes), bytes };
};

/** A valid bundle; another `seed` makes another digest. */
export const bundle = (seed = 0, ...items: readonly Item[]): Promise<Archive> =>
  tarOf(sluiceJson(), { name: 'handler.js', content: `export const handle = () => ${seed};\n` }, ...items);

/** The bytes in chunks, with `pause` awaited before each. */
export async function* body(bytes: Buffer, chunkBytes = 64 * 1024, pause?: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await pause?.();
    yield bytes.subarray(at, at + chunkBytes);
  }
}

// A built bundle as a layer: the same files under /home/app.
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { BundleConfig, bundleConfigFile } from '../../../provider/types/bundle.ts';
import { FaasError } from '../../../provider/types/errors.ts';
import { describeIssues } from '../../../provider/types/validate.ts';
import { addEntry, compressLayer, type Layer, writeTar } from './layer.ts';
import { indexTar } from './tar-index.ts';

/** Where OpenFaaS's images have their functions; the working directory of the function. */
export const bundleRoot = '/home/app';

const epoch = new Date(0);

/** @throws invalid for a tar without `sluice.json` */
export const readBundleConfig = async (file: string): Promise<BundleConfig> => {
  const at = (await indexTar(file)).get(bundleConfigFile);
  if (at === undefined) throw new FaasError('invalid', `${file}: expected a built function with ${bundleConfigFile}`);
  const stream = createReadStream(file, { start: at.offset, end: at.offset + at.bytes - 1 });
  const value: unknown = JSON.parse(Buffer.concat(await stream.toArray()).toString());
  const result = BundleConfig.safeParse(value);
  if (result.success) return result.data;
  throw new FaasError('invalid', `${file}: ${describeIssues(result.error, value, bundleConfigFile)}`);
};

const moved = ({ name, type, mode, size, linkname }: Header): Header =>
  ({
    name: `${bundleRoot.slice(1)}/${name}`,
    type,
    mode,
    size,
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    mtime: epoch,
    ...(linkname ? { linkname } : {}),
  }) as Header;

/** Writes the compressed layer to `file`. */
export const bundleLayer = async (bundle: string, file: string, signal?: AbortSignal): Promise<Layer> => {
  const tar = `${file}.tar`;
  try {
    await writeTar(tar, async (pack) => {
      await addEntry(pack, moved({ name: '', type: 'directory', mode: 0o755, size: 0 } as Header), undefined);
      const reader = extract();
      const source = createReadStream(bundle);
      source.on('error', (error) => reader.destroy(error));
      source.pipe(reader as unknown as NodeJS.WritableStream);
      for await (const entry of reader) {
        signal?.throwIfAborted();
        const { header } = entry;
        await addEntry(pack, moved(header), header.type === 'file' ? (entry as unknown as Readable) : undefined);
        if (header.type !== 'file') entry.resume();
      }
    });
    return await compressLayer(tar, file, 'sluice function', signal);
  } finally {
    await rm(tar, { force: true });
  }
};

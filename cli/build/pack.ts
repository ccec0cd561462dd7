// Writes a bundle: one tar whose bytes depend on nothing but the files' paths, contents and execute bits, so that two
// builds of the same input have the same digest on any machine.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Header, type Pack, pack } from 'tar-stream';
import { type BundleConfig, bundleConfigFile } from '../../provider/types/bundle.ts';
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import { byCodeUnit, staysInside, type TreeEntry } from './files.ts';

export type PackedBundle = { readonly digest: string; readonly bytes: number };

type HeaderFields = Partial<Header> & Pick<Header, 'name'>;

const epoch = new Date(0);
const anonymous = { uid: 0, gid: 0, uname: '', gname: '', mtime: epoch } as const;

const sortKeys = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => byCodeUnit(a, b));
  return Object.fromEntries(sorted.map(([key, inner]) => [key, sortKeys(inner)]));
};

/** JSON with sorted keys: the same configuration always gives the same bytes. */
export const configText = (config: BundleConfig): string => `${JSON.stringify(sortKeys(config), undefined, 2)}\n`;

const header = (entry: TreeEntry): HeaderFields => {
  if (entry.kind === 'symlink') {
    return { ...anonymous, name: entry.path, type: 'symlink', linkname: entry.target ?? '', mode: 0o777, size: 0 };
  }
  const mode = entry.kind === 'directory' || entry.executable ? 0o755 : 0o644;
  return { ...anonymous, name: entry.path, type: entry.kind, mode, size: entry.bytes };
};

const writeText = (tar: Pack, name: string, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    tar.entry({ ...anonymous, name, type: 'file', mode: 0o644 }, text, (error) => (error ? reject(error) : resolve()));
  });

const writeEntry = async (tar: Pack, root: string, entry: TreeEntry): Promise<void> => {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const sink = tar.entry(header(entry), (error) => (error ? reject(error) : resolve()));
  sink.on('error', reject);
  if (entry.kind !== 'file') return done;
  const path = join(root, entry.path);
  try {
    for await (const chunk of createReadStream(path)) {
      if (!sink.write(chunk)) await Promise.race([done, once(sink, 'drain')]);
    }
    sink.end(null);
    await done;
  } catch (error) {
    done.catch(() => undefined);
    throw new FaasError('invalid', `${path}: changed or became unreadable while it was packed; build again`, { cause: error });
  }
};

const checkEntries = (root: string, entries: readonly TreeEntry[]): void => {
  for (const entry of entries) {
    if (entry.path === bundleConfigFile) {
      throw new FaasError(
        'invalid',
        `${join(root, entry.path)}: the name ${bundleConfigFile} is reserved for the bundle's configuration`,
      );
    }
    if (entry.kind === 'symlink' && !staysInside(entry.path, entry.target ?? '')) {
      throw new FaasError(
        'invalid',
        `${join(root, entry.path)}: expected a link that stays inside the function, got ${entry.target}`,
      );
    }
  }
};

const fill = async (
  tar: Pack,
  root: string,
  entries: readonly TreeEntry[],
  config: BundleConfig,
  signal: AbortSignal | undefined,
): Promise<void> => {
  await writeText(tar, bundleConfigFile, configText(config));
  for (const entry of [...entries].sort((a, b) => byCodeUnit(a.path, b.path))) {
    signal?.throwIfAborted();
    await writeEntry(tar, root, entry);
  }
  tar.finalize();
};

const drain = async (tar: Pack, handle: FileHandle, file: string): Promise<PackedBundle> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of tar as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    await handle.writeFile(chunk).catch((error: Error) => {
      throw new FaasError('internal', `${file}: cannot be written: ${error.message}`, { cause: error });
    });
  }
  return { digest: hash.digest('hex'), bytes };
};

/**
 * Writes `sluice.json` and then the entries, sorted, to `file`: complete when it resolves, absent when it rejects.
 * @throws invalid for a link that leaves the tree, an entry named sluice.json, or a file that changes meanwhile
 */
export const packBundle = async (
  root: string,
  entries: readonly TreeEntry[],
  config: BundleConfig,
  file: string,
  signal?: AbortSignal,
): Promise<PackedBundle> => {
  checkEntries(root, entries);
  const partial = `${file}.${process.pid}.partial`;
  const handle = await open(partial, 'w', 0o644);
  const tar = pack();
  // Why first: a tar that fails before anybody reads it throws its error into the void.
  const drained = drain(tar, handle, file);
  const filled = fill(tar, root, entries, config, signal);
  filled.catch(() => tar.destroy());
  const [reading, writing] = await Promise.allSettled([filled, drained]);
  await handle.close();
  if (reading.status === 'fulfilled' && writing.status === 'fulfilled') {
    await rename(partial, file);
    return writing.value;
  }
  await rm(partial, { force: true });
  // A disk that is full destroys the tar, which then fails the reading too: the cause is the side that failed by itself.
  const failures = [writing, reading].filter((side) => side.status === 'rejected').map((side): unknown => side.reason);
  throw failures.find(isFaasError) ?? failures.at(-1);
};

// Turns a bundle's tar into a directory, entry by entry through the rules of tar-entry.ts.
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Extract } from 'tar-stream';
import { extract } from 'tar-stream';
import { bundleConfigFile } from '../../types/bundle.ts';
import { FaasError, isFaasError } from '../../types/errors.ts';
import type { Machine } from './bundle-config.ts';
import { checkFits, maxConfigBytes, parseBundleConfig } from './bundle-config.ts';
import type { TarEntry } from './tar-entry.ts';
import { createTarRules } from './tar-entry.ts';
import type { WorkQueue } from './work-queue.ts';
import { createWorkQueue } from './work-queue.ts';

/** Files up to this size are written beside each other: most of a bundle is small, and waiting is most of writing it. */
const smallBytes = maxConfigBytes;
const writesAtOnce = 3;

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;

/** What the file system says when a name is at fault; `EEXIST` where it sees two names as one. */
const badName = new Set(['EEXIST', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ', 'ENOTDIR', 'ELOOP']);

const explain = (error: unknown): FaasError => {
  if (isFaasError(error)) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return new FaasError('invalid', `bundle: expected a tar archive: ${message}`, { cause: error });
  if (code !== undefined && badName.has(code)) {
    return new FaasError('invalid', `bundle: holds a name that this file system refuses: ${code}`, { cause: error });
  }
  return new FaasError('internal', `bundle: could not be stored: ${message}`, { cause: error });
};

const readAll = async (entry: Entry): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
};

const writeFile = async (path: string, mode: number, content: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> => {
  await using handle = await open(path, 'wx', mode);
  for await (const chunk of content) await handle.writeFile(chunk as Uint8Array);
  await handle.chmod(mode);
};

const createDirectories = (root: string): ((path: string) => Promise<void>) => {
  const made = new Set<string>([root]);
  const ensure = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    await ensure(dirname(path));
    await mkdir(path);
    await chmod(path, 0o755);
    made.add(path);
  };
  return ensure;
};

const checkConfig = (placed: TarEntry, entry: Entry): void => {
  const { name, size } = entry.header;
  if (placed.kind !== 'file' || placed.path !== bundleConfigFile) {
    throw new FaasError('invalid', `bundle: expected ${bundleConfigFile} as first entry, got ${JSON.stringify(name)}`);
  }
  if (size > maxConfigBytes) {
    throw new FaasError('invalid', `${bundleConfigFile}: expected at most ${maxConfigBytes} bytes, got ${size}`);
  }
};

const unpackEntries = async (tar: Extract, root: string, machine: Machine, queue: WorkQueue): Promise<void> => {
  const rules = createTarRules();
  const ensureDirectory = createDirectories(root);
  let hasConfig = false;
  for await (const entry of tar) {
    const placed = rules(entry.header);
    const path = join(root, placed.path);
    if (!hasConfig) checkConfig(placed, entry);
    await ensureDirectory(placed.kind === 'directory' ? path : dirname(path));
    if (placed.kind === 'symlink') await symlink(placed.target, path);
    if (placed.kind === 'file' && entry.header.size > smallBytes) await writeFile(path, placed.mode, entry);
    else if (placed.kind === 'file') {
      const content = await readAll(entry);
      if (!hasConfig) checkFits(parseBundleConfig(content.toString('utf8')), machine);
      await queue.add(() => writeFile(path, placed.mode, [content]));
    }
    hasConfig = true;
    entry.resume();
  }
  if (!hasConfig) throw new FaasError('invalid', `bundle: expected ${bundleConfigFile} as first entry, got an empty archive`);
};

/**
 * Unpacks the tar `file` into the new directory `root`. On failure the caller removes what is there.
 * @throws invalid when it is no tar, holds no valid sluice.json, does not fit the machine, or would leave its directory
 */
export const unpack = async (file: string, root: string, machine: Machine): Promise<void> => {
  await mkdir(root);
  await chmod(root, 0o755);
  const queue = createWorkQueue(writesAtOnce);
  const source = createReadStream(file, { highWaterMark: 256 * 1024 });
  const tar = extract();
  source.on('error', (error) => tar.destroy(error));
  source.pipe(tar);
  try {
    await unpackEntries(tar, root, machine, queue);
    await queue.finish();
  } catch (error) {
    throw explain(error);
  } finally {
    source.destroy();
    tar.destroy();
    // The caller removes the directory next: nothing may still be written to it.
    await queue.finish().catch(() => undefined);
  }
};

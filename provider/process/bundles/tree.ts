// Walks over unpacked bundles: making one durable, and copying one for a group that alone may read it.
import { constants } from 'node:fs';
import { chmod, chown, copyFile, lchown, mkdir, open, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkQueue } from './work-queue.ts';
import { createWorkQueue } from './work-queue.ts';

/** Each one less than the threads that Node has for files, so that others need not wait for the disk's sync. */
const syncsAtOnce = 3;
const copiesAtOnce = 3;

const sync = async (path: string): Promise<void> => {
  await using handle = await open(path, 'r');
  await handle.sync();
};

/** Makes names that were added to or taken from a directory durable. */
export const syncDirectory = sync;

/** Resolves when every file and every name below `root` is on disk. */
export const syncTree = async (root: string): Promise<void> => {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => !entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
  const queue = createWorkQueue(syncsAtOnce);
  for (const path of [...paths, root]) await queue.add(() => sync(path));
  await queue.finish();
};

const copyFileFor = async (source: string, target: string, gid: number): Promise<void> => {
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const { mode } = await stat(source);
  await chown(target, 0, gid);
  await chmod(target, (mode & 0o100) === 0 ? 0o640 : 0o750);
};

const copyLinkFor = async (source: string, target: string, gid: number): Promise<void> => {
  await symlink(await readlink(source), target);
  await lchown(target, 0, gid);
};

const copyInto = async (source: string, target: string, gid: number, queue: WorkQueue): Promise<void> => {
  await mkdir(target, { mode: 0o700 });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) await copyInto(from, to, gid, queue);
    else await queue.add(() => (entry.isSymbolicLink() ? copyLinkFor : copyFileFor)(from, to, gid));
  }
  await chown(target, 0, gid);
  await chmod(target, 0o750);
};

/**
 * Copies a directory so that it belongs to root and only the group can read it, and nobody of the group can change it.
 * `target` must not exist. Nothing runs any more when it rejects. Needs root.
 */
export const copyTree = async (source: string, target: string, gid: number): Promise<void> => {
  const queue = createWorkQueue(copiesAtOnce);
  try {
    await copyInto(source, target, gid, queue);
  } finally {
    await queue.finish();
  }
};

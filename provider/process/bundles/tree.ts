// Walks over unpacked bundles: making one durable, and copying one for a group that alone may read it.
import { constants } from 'node:fs';
import { chmod, chown, copyFile, lchown, mkdir, open, readdir, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { eachAtOnce } from './each-at-once.ts';

/** One less than the threads that Node has for files, so that others need not wait for the disk's sync. */
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
  await eachAtOnce([...paths, root], syncsAtOnce, sync);
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

/**
 * Copies a directory so that it belongs to root and only the group can read it, and nobody of the group can change it.
 * `target` must not exist; it opens to the group last. Needs root.
 */
export const copyTree = async (source: string, target: string, gid: number): Promise<void> => {
  await mkdir(target, { mode: 0o700 });
  const entries = await readdir(source, { withFileTypes: true });
  const leaves = entries.filter((entry) => !entry.isDirectory());
  await eachAtOnce(leaves, copiesAtOnce, async (entry) => {
    const copy = entry.isSymbolicLink() ? copyLinkFor : copyFileFor;
    await copy(join(source, entry.name), join(target, entry.name), gid);
  });
  for (const entry of entries) {
    if (entry.isDirectory()) await copyTree(join(source, entry.name), join(target, entry.name), gid);
  }
  await chown(target, 0, gid);
  await chmod(target, 0o750);
};

// Walks a directory tree in an order that is the same on every machine and locale.
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';

export type TreeEntry = {
  /** Relative to the walked directory, with forward slashes. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly bytes: number;
  readonly executable: boolean;
  /** Only of a symlink: its target as written. */
  readonly target?: string;
};

/** Code units decide, never the locale. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * True when a link at `path` with this target stays inside the tree: relative, never above the root, and with `..` in
 * front only, because behind another link it climbs from wherever that one leads.
 */
export const staysInside = (path: string, target: string): boolean => {
  if (target === '' || posix.isAbsolute(target)) return false;
  const parts = target.split('/');
  const inner = parts.findIndex((part) => part !== '..');
  const climbs = inner === -1 ? parts.length : inner;
  return climbs <= path.split('/').length - 1 && !parts.slice(climbs).includes('..');
};

const readEntry = async (root: string, path: string): Promise<TreeEntry> => {
  const full = join(root, path);
  const stat = await lstat(full);
  const executable = (stat.mode & 0o100) !== 0;
  if (stat.isDirectory()) return { path, kind: 'directory', bytes: 0, executable: true };
  if (stat.isFile()) return { path, kind: 'file', bytes: stat.size, executable };
  if (stat.isSymbolicLink()) {
    const target = (await readlink(full)).split(sep).join('/');
    return { path, kind: 'symlink', bytes: 0, executable: true, target };
  }
  throw new FaasError('invalid', `${full}: expected a file, directory or symbolic link, got a socket, pipe or device`);
};

/**
 * Every entry below `root`, parents before their children, siblings by code unit. Links are reported, never followed.
 * @param skip entries left out, with everything below them
 * @throws invalid for sockets, pipes and devices
 */
export const walkTree = async (root: string, skip: (path: string) => boolean = () => false): Promise<TreeEntry[]> => {
  const found: TreeEntry[] = [];
  const visit = async (directory: string): Promise<void> => {
    const names = await readdir(join(root, directory));
    for (const name of names.sort(byCodeUnit)) {
      const path = directory === '' ? name : `${directory}/${name}`;
      if (skip(path)) continue;
      const entry = await readEntry(root, path);
      found.push(entry);
      if (entry.kind === 'directory') await visit(path);
    }
  };
  await visit('');
  return found;
};

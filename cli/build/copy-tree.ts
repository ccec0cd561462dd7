// Copies a person's folder into a build context. What only tools leave behind stays out; links that stay inside the
// folder are kept, others are replaced by what they point to, as OpenFaaS's builder does.
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readlink, realpath, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import { staysInside, type TreeEntry, walkTree } from './files.ts';

/** Never part of a function, wherever they lie. */
const neverCopied = new Set(['.git', '.DS_Store', '__pycache__']);

const isNeverCopied = (path: string): boolean =>
  neverCopied.has(path.slice(path.lastIndexOf('/') + 1)) || /(^|\/)node_modules\/\.cache$/.test(path);

const checkLoop = async (full: string): Promise<string> => {
  const real = await realpath(full).catch(async (error: Error) => {
    const target = await readlink(full);
    throw new FaasError('invalid', `${full}: link to ${target}, which does not exist`, { cause: error });
  });
  const holder = await realpath(dirname(full));
  if (holder === real || holder.startsWith(real + sep)) {
    throw new FaasError('invalid', `${full}: link to ${real}, a folder that holds the link itself`);
  }
  return real;
};

const copyOne = async (source: string, target: string, executable: boolean): Promise<void> => {
  await clearForFile(target);
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, executable ? 0o755 : 0o644);
};

const clearForFile = async (to: string): Promise<void> => {
  const there = await stat(to).catch(() => undefined);
  // A function's file in place of a template's folder, or over a template's link, wins.
  if (there === undefined || there.isDirectory()) await rm(to, { recursive: true, force: true });
};

const copyEntry = async (from: string, to: string, entry: TreeEntry, skip: (path: string) => boolean): Promise<void> => {
  const source = join(from, entry.path);
  const target = join(to, entry.path);
  if (entry.kind === 'directory') {
    await mkdir(target, { recursive: true });
    return;
  }
  if (entry.kind === 'symlink' && staysInside(entry.path, entry.target ?? '')) {
    await rm(target, { recursive: true, force: true });
    await symlink(entry.target ?? '', target);
    return;
  }
  if (entry.kind === 'file') {
    await copyOne(source, target, entry.executable);
    return;
  }
  const real = await checkLoop(source);
  const found = await stat(real);
  if (found.isDirectory()) {
    await mkdir(target, { recursive: true });
    await copyTree(real, target, (path) => skip(`${entry.path}/${path}`));
    return;
  }
  if (!found.isFile()) throw new FaasError('invalid', `${source}: link to ${real}, which is no file or folder`);
  await copyOne(real, target, (found.mode & 0o100) !== 0);
};

/**
 * Lays the contents of `from` over `to`, which exists.
 * @param skip paths relative to `from` that stay out, with everything below
 * @throws invalid for broken links, links in a circle, sockets, pipes and devices
 */
export const copyTree = async (from: string, to: string, skip: (path: string) => boolean = () => false): Promise<void> => {
  const entries = await walkTree(from, (path) => isNeverCopied(path) || skip(path));
  for (const entry of entries) await copyEntry(from, to, entry, skip);
};

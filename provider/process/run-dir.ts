// The directory of one gateway's life: sockets, temporary files, secrets as files. What a dead gateway left is removed.
import { chmod, lstat, mkdtemp, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FaasError } from '../types/errors.ts';
import { removeTree } from './remove-tree.ts';

/** A unix socket's path holds 107 bytes. */
const longestSocketPath = 107;
const perReplica = '/0123456789ab/s'.length;

const removeLeftovers = async (parent: string, prefix: string): Promise<void> => {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const info = await lstat(path).catch(() => undefined);
    if (info?.isDirectory() && info.uid === process.getuid?.()) await removeTree(path);
  }
};

/** The nearest directory on the way to `path`, itself included, that other users may not pass through. */
const closedToOthers = async (path: string): Promise<string | undefined> => {
  for (let dir = resolve(path); ; dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) === 0) return dir;
    if (dir === dirname(dir)) return undefined;
  }
};

/**
 * @param instance tells data directories apart: only directories of this one's dead gateways are removed, and the caller
 *   holds the lock on it
 * @param shared other users must be able to pass through
 * @throws invalid when the path would be too long for sockets, or other users have to pass and cannot
 */
export const makeRunDir = async (parent: string, instance: string, shared: boolean): Promise<string> => {
  const prefix = `sluice-${instance}-`;
  const length = Buffer.byteLength(join(parent, `${prefix}XXXXXX`)) + perReplica;
  if (length > longestSocketPath) {
    throw new FaasError(
      'invalid',
      `run directory: expected a path of at most ${longestSocketPath - (length - Buffer.byteLength(parent))} bytes, got ${parent}`,
    );
  }
  const closed = shared ? await closedToOthers(parent) : undefined;
  if (closed !== undefined) {
    throw new FaasError(
      'invalid',
      `run directory: expected a directory that every account may pass through, as functions run under accounts of their own, got ${parent}: ` +
        `${closed} is closed to them; set TMPDIR to another one`,
    );
  }
  await removeLeftovers(parent, prefix);
  const dir = await mkdtemp(join(parent, prefix));
  await chmod(dir, shared ? 0o711 : 0o700);
  return dir;
};

// The directory of one gateway's life: sockets, temporary files, secrets as files. What a dead gateway left is removed.
import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../types/errors.ts';

/** A unix socket's path holds 107 bytes. */
const longestSocketPath = 107;
const perReplica = '/0123456789ab/s'.length;

const removeLeftovers = async (parent: string, prefix: string): Promise<void> => {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const info = await lstat(path).catch(() => undefined);
    if (info?.isDirectory() && info.uid === process.getuid?.()) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
};

/**
 * @param instance tells data directories apart: only directories of this one's dead gateways are removed, and the caller
 *   holds the lock on it
 * @param shared other users must be able to pass through
 * @throws invalid when the path would be too long for sockets
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
  await removeLeftovers(parent, prefix);
  const dir = await mkdtemp(join(parent, prefix));
  await chmod(dir, shared ? 0o711 : 0o700);
  return dir;
};

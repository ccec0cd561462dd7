// Copies of bundles for users other than the gateway's, `<runDir>/bundles/<area>/<digest>`. They live as long as the
// gateway that made them; what an earlier one left is never used.
import { chmod, chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../../types/errors.ts';
import { checkLabelName } from '../../types/name.ts';
import type { BundleOwner } from './bundles.ts';
import { copyTree } from './tree.ts';

export interface Copies {
  /** The copy of `source` for the owner: made once, the same for every caller. */
  get(source: string, digest: string, owner: BundleOwner): Promise<string>;
  removeArea(area: string): Promise<void>;
  removeDigest(digest: string): Promise<void>;
  sweep(): Promise<void>;
}

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

const list = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

export const createCopies = (runDir: string | undefined): Copies => {
  const home = join(runDir ?? '', 'bundles');
  /** By `<area>/<digest>`: the path below `home`. */
  const made = new Map<string, Promise<string>>();

  /** The area's directory, which its group may enter. */
  const ensureRoom = async (room: string, gid: number): Promise<void> => {
    await mkdir(room, { recursive: true });
    await chmod(home, 0o711);
    await chown(room, 0, gid);
    await chmod(room, 0o750);
  };

  const copy = async (source: string, digest: string, { gid, area }: BundleOwner): Promise<string> => {
    if (runDir === undefined)
      throw new FaasError('internal', 'bundles: expected a run directory for copies of other users, got none');
    const room = join(home, area);
    const target = join(room, digest);
    const partial = `${target}.partial`;
    try {
      await ensureRoom(room, gid);
      await Promise.all([remove(target), remove(partial)]);
      await copyTree(source, partial, gid);
      await rename(partial, target);
      return target;
    } catch (error) {
      await remove(partial);
      throw new FaasError('internal', `bundle: could not be copied to ${target}: ${(error as Error).message}`, { cause: error });
    }
  };

  /** Waits for copies under way, so that none comes back after its removal. */
  const forget = async (isMeant: (key: string) => boolean): Promise<void> => {
    for (const [key, copying] of made) {
      if (!isMeant(key)) continue;
      await copying.catch(() => undefined);
      made.delete(key);
      await remove(join(home, key));
    }
  };

  return {
    get: (source, digest, owner) => {
      const key = `${checkLabelName('area', owner.area)}/${digest}`;
      const known = made.get(key);
      if (known !== undefined) return known;
      const copying = copy(source, digest, owner);
      made.set(key, copying);
      copying.catch(() => made.delete(key));
      return copying;
    },
    removeArea: async (area) => {
      if (runDir === undefined) return;
      checkLabelName('area', area);
      await forget((key) => key.startsWith(`${area}/`));
      await remove(join(home, area));
    },
    removeDigest: (digest) => forget((key) => key.endsWith(`/${digest}`)),
    sweep: async () => {
      if (runDir === undefined) return;
      for (const area of await list(home)) {
        for (const name of await list(join(home, area))) {
          if (!made.has(`${area}/${name.replace(/\.partial$/, '')}`)) await remove(join(home, area, name));
        }
      }
    },
  };
};

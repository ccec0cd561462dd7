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

/** The area's directory, which its group may enter. */
const ensureRoom = async (home: string, room: string, gid: number): Promise<void> => {
  await mkdir(room, { recursive: true });
  await chmod(home, 0o711);
  await chown(room, 0, gid);
  await chmod(room, 0o750);
};

export const createCopies = (runDir: string | undefined): Copies => {
  const home = join(runDir ?? '', 'bundles');
  /** By `<area>/<digest>`: the path below `home`. */
  const made = new Map<string, Promise<string>>();

  const copy = async (source: string, digest: string, { gid, area }: BundleOwner): Promise<string> => {
    if (runDir === undefined)
      throw new FaasError('internal', 'bundles: expected a run directory for copies of other users, got none');
    const room = join(home, area);
    const target = join(room, digest);
    const partial = `${target}.partial`;
    try {
      await ensureRoom(home, room, gid);
      await Promise.all([remove(target), remove(partial)]);
      await copyTree(source, partial, gid);
      await rename(partial, target);
      return target;
    } catch (error) {
      await remove(partial);
      throw new FaasError('internal', `bundle: could not be copied to ${target}: ${(error as Error).message}`, { cause: error });
    }
  };

  /** Removals under way, by area: a copy that is wanted meanwhile is made after them. */
  const leaving = new Map<string, Promise<void>>();

  const inTurn = (area: string, removal: () => Promise<void>): Promise<void> => {
    const work = (leaving.get(area) ?? Promise.resolve()).then(removal, removal);
    const done = (): void => {
      if (leaving.get(area) === work) leaving.delete(area);
    };
    leaving.set(area, work);
    work.then(done, done);
    return work;
  };

  /** From this call on they are not handed out; copies under way are waited for, so that none comes back. */
  const forget = (area: string, keys: readonly string[], removal: () => Promise<void>): Promise<void> => {
    const copying = keys.map((key) => made.get(key));
    for (const key of keys) made.delete(key);
    return inTurn(area, async () => {
      await Promise.allSettled(copying);
      await removal();
    });
  };

  const keysOf = (isMeant: (area: string, digest: string) => boolean): string[] =>
    [...made.keys()].filter((key) => isMeant(...(key.split('/') as [string, string])));

  return {
    get: (source, digest, owner) => {
      const area = checkLabelName('area', owner.area);
      const key = `${area}/${digest}`;
      const known = made.get(key);
      if (known !== undefined) return known;
      const before = leaving.get(area)?.catch(() => undefined);
      const copying = before === undefined ? copy(source, digest, owner) : before.then(() => copy(source, digest, owner));
      made.set(key, copying);
      copying.catch(() => {
        if (made.get(key) === copying) made.delete(key);
      });
      return copying;
    },
    removeArea: async (area) => {
      if (runDir === undefined) return;
      checkLabelName('area', area);
      const keys = keysOf((each) => each === area);
      await forget(area, keys, () => remove(join(home, area)));
    },
    removeDigest: async (digest) => {
      const keys = keysOf((_, each) => each === digest);
      await Promise.all(keys.map((key) => forget(key.split('/', 1)[0] ?? '', [key], () => remove(join(home, key)))));
    },
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

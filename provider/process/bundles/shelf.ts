// Bundles as directories `bundles/<digest>` in the data directory. Everything is made in `bundles/partial` and comes to its
// place by one rename, so that what has a digest for a name is always complete. Its time is when it was last in use.
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '../../types/bundle.ts';
import type { Log } from '../log.ts';
import { syncDirectory, syncTree } from './tree.ts';

export interface Shelf {
  path(digest: string): string;
  /** ms since 1970; `undefined` when no such bundle is here. */
  usedAtMs(digest: string): Promise<number | undefined>;
  touch(digest: string, nowMs: number): Promise<void>;
  digests(): Promise<string[]>;
  /** Text of a file of the bundle; `undefined` when either is not here. */
  read(digest: string, file: string): Promise<string | undefined>;
  /** Runs `act` with a directory of its own, which is gone afterwards. */
  withRoom(act: (room: string) => Promise<void>): Promise<void>;
  /** Moves a complete directory to its place, durably; one that is there already stays. */
  install(root: string, digest: string, nowMs: number): Promise<void>;
  remove(digest: string): Promise<void>;
  /** Removes the rooms of a process that was killed. */
  sweep(): Promise<void>;
}

const has = (error: unknown, ...codes: string[]): boolean => codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** What the work gives, or `fallback` when there is no such file. */
const orMissing = async <Value>(work: Promise<Value>, fallback: Value): Promise<Value> => {
  try {
    return await work;
  } catch (error) {
    if (has(error, 'ENOENT')) return fallback;
    throw error;
  }
};

const createRooms = (dataDir: string, home: string, log: Log): Pick<Shelf, 'withRoom' | 'sweep'> => {
  const partial = join(home, 'partial');
  const inUse = new Set<string>();
  let isDurable = false;

  /** Synced even when it was there: who made it may have been killed before its own sync. */
  const ensure = async (): Promise<void> => {
    await mkdir(partial, { recursive: true, mode: 0o700 });
    if (isDurable) return;
    await syncDirectory(home);
    await syncDirectory(dataDir);
    isDurable = true;
  };

  const leave = async (room: string): Promise<void> => {
    try {
      await rm(room, { recursive: true, force: true });
    } catch (error) {
      log.warn({ room, err: error }, 'a temporary directory could not be removed');
    }
    inUse.delete(room);
  };

  return {
    withRoom: async (act) => {
      await ensure();
      const room = await mkdtemp(join(partial, 'room-'));
      inUse.add(room);
      try {
        await act(room);
      } finally {
        await leave(room);
      }
    },
    sweep: async () => {
      for (const name of await orMissing(readdir(partial), [])) {
        const room = join(partial, name);
        if (!inUse.has(room)) await rm(room, { recursive: true, force: true });
      }
    },
  };
};

export const createShelf = (dataDir: string, log: Log): Shelf => {
  const home = join(dataDir, 'bundles');
  const path = (digest: string): string => join(home, digest);
  const { withRoom, sweep } = createRooms(dataDir, home, log);
  return {
    path,
    withRoom,
    sweep,
    usedAtMs: async (digest) => (await orMissing(stat(path(digest)), undefined))?.mtimeMs,
    touch: (digest, nowMs) => utimes(path(digest), nowMs / 1000, nowMs / 1000),
    digests: async () => (await orMissing(readdir(home), [])).filter(isDigest),
    read: (digest, file) => orMissing(readFile(join(path(digest), file), 'utf8'), undefined),
    install: async (root, digest, nowMs) => {
      await syncTree(root);
      await utimes(root, nowMs / 1000, nowMs / 1000);
      try {
        await rename(root, path(digest));
      } catch (error) {
        if (!has(error, 'ENOTEMPTY', 'EEXIST')) throw error;
      }
      await syncDirectory(home);
    },
    remove: (digest) =>
      withRoom(async (room) => {
        await rename(path(digest), join(room, 'root'));
        await syncDirectory(home);
      }),
  };
};

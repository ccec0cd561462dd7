// Removes a directory in which somebody else may be at work. A path that is walked by name can be turned into a link on the
// way, and what root removes is then not what was meant; here every step begins at an open directory and follows no link.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';

const onlyDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Directories that are open at one time; deeper ones are moved up first. */
const deepest = 20;
/** Each takes that much off the depth. There is an end to it: somebody may add as fast as we remove. */
const rounds = 100_000;

const isCode = (error: unknown, ...codes: string[]): boolean => codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** The directory itself, wherever its path leads by now. */
const inside = (handle: FileHandle, name = ''): string => `/proc/self/fd/${handle.fd}/${name}`;

const createRemoval = (top: FileHandle) => {
  let moved = 0;

  const empty = async (handle: FileHandle, depth: number): Promise<void> => {
    for (const entry of await readdir(inside(handle), { withFileTypes: true })) {
      const path = inside(handle, entry.name);
      try {
        if (!entry.isDirectory()) await unlink(path);
        else if (depth < deepest) await removeDirectory(path, depth + 1);
        else {
          moved += 1;
          await rename(path, inside(top, `.removed-${moved}`));
        }
      } catch (error) {
        if (!isCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ELOOP')) throw error;
      }
    }
  };

  const removeDirectory = async (path: string, depth: number): Promise<void> => {
    const handle = await open(path, onlyDirectory);
    try {
      await empty(handle, depth);
    } finally {
      await handle.close();
    }
    await rmdir(path);
  };

  return async (): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      await empty(top, 1);
      if ((await readdir(inside(top))).length === 0) return;
    }
  };
};

/**
 * Nothing happens when there is no such directory. The directory that holds it must be ours alone.
 * @throws the system's error when something cannot be removed
 */
export const removeTree = async (path: string): Promise<void> => {
  // Without /proc, and where functions have our own account anyway, the walk by name is as good.
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return rm(path, { recursive: true, force: true, maxRetries: 3 });
  let top: FileHandle;
  try {
    top = await open(path, onlyDirectory);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    if (!isCode(error, 'ENOTDIR', 'ELOOP')) throw error;
    return unlink(path);
  }
  try {
    await createRemoval(top)();
  } finally {
    await top.close();
  }
  await rmdir(path);
};

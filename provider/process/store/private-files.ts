// Directories and files that only the gateway's account may read, whatever the umask.
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { FaasError, isFaasError } from '../../types/errors.ts';

const takeOver = (directory: string, mark: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const mode = statSync(directory).mode & 0o777;
  if (mode === 0o700) return;
  if ((mode & 0o077) !== 0) {
    // A fresh file system is mounted with this entry in it.
    const entries = readdirSync(directory).filter((name) => name !== 'lost+found');
    if (entries.length > 0 && !entries.includes(mark)) {
      throw new FaasError(
        'invalid',
        `data directory: expected a new, an empty or a private (mode 0700) directory, got ${directory} with ${entries.length} entries and mode 0${mode.toString(8)}`,
      );
    }
  }
  chmodSync(directory, 0o700);
};

/**
 * Makes `directory` or takes it over, mode 0700.
 * @param mark name of a file that shows that the directory is ours
 * @throws invalid when it cannot be made, or is open to others and full of somebody else's files: its mode is not ours to change
 */
export const ensurePrivateDirectory = (directory: string, mark: string): void => {
  try {
    takeOver(directory, mark);
  } catch (error) {
    if (isFaasError(error)) throw error;
    throw new FaasError('invalid', `data directory: ${directory} cannot be used: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Makes an empty file with mode 0600 unless it is there; one that is there gets the mode.
 * Why it never opens an existing file: closing any descriptor of it would drop the locks that SQLite holds on it.
 */
export const ensurePrivateFile = (file: string): void => {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(file, 0o600);
};

/** Makes a file's content, or the names in a directory, durable. */
export const syncPath = (path: string): void => {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

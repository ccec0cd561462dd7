// The secrets of one replica as files, one a secret, named as the secret.
import { chmodSync, chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Written beside and renamed, so that a reader sees the old value or the new one. Synchronous because a start waits for
 * it and the directory is in memory or in the page cache; values have at most 1 MiB.
 * @param gid group that may read, when functions run as users of their own
 */
export const writeSecretFile = (dir: string, name: string, value: Buffer, gid: number | undefined): void => {
  const path = join(dir, name);
  // Names of secrets begin with a letter or digit: this one is nobody's.
  const draft = join(dir, '.new');
  try {
    writeFileSync(draft, value, { mode: 0o400 });
    if (gid !== undefined) {
      chownSync(draft, 0, gid);
      chmodSync(draft, 0o440);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
};

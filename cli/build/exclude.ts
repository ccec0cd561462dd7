// Takes out of a build context what is no part of the running function, such as its tests.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { walkTree } from './files.ts';

const toPattern = (name: string): RegExp => new RegExp(`^${name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

/**
 * Removes files and folders by their own names, wherever they lie in `dir`, but nothing inside installed packages.
 * @param names may hold `*` for any characters
 */
export const removeExcluded = async (dir: string, names: readonly string[]): Promise<void> => {
  const patterns = names.map(toPattern);
  const found = new Set<string>();
  await walkTree(dir, (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name === 'node_modules') return true;
    const isExcluded = patterns.some((pattern) => pattern.test(name));
    if (isExcluded) found.add(path);
    return isExcluded;
  });
  for (const path of found) await rm(join(dir, path), { recursive: true, force: true });
};

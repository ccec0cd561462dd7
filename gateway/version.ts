// Which build this is: the package's version, and the commit that the build wrote beside the compiled files.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VersionInfo } from '../provider/types/info.ts';

/** The directory of the package, from the sources as well as from dist/. */
export const findPackageRoot = (from: string = fileURLToPath(import.meta.url)): string => {
  let directory = dirname(from);
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`no package.json above ${from}`);
    directory = parent;
  }
  return directory;
};

const readField = (file: string, field: string): string | undefined => {
  if (!existsSync(file)) return undefined;
  const value = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

export const readVersion = (root: string = findPackageRoot()): VersionInfo => ({
  release: readField(join(root, 'package.json'), 'version') ?? 'dev',
  sha: readField(join(root, 'dist', 'build.json'), 'sha') ?? 'unknown',
});

// Tests of this tier use programs that a machine may not have: they are skipped there, saying which, and fail in CI.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

const isOnPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(':').some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** For `test(…, { skip })`: why not, or false. @throws in CI, where nothing may be missing */
export const missing = (programs: readonly string[], needsRoot = false): string | false => {
  const absent = programs.filter((name) => !isOnPath(name));
  const isRoot = process.getuid?.() === 0;
  const reasons = [
    ...(absent.length === 0 ? [] : [`not installed: ${absent.join(', ')}`]),
    ...(needsRoot && !isRoot ? ['needs root'] : []),
    ...(process.platform === 'linux' ? [] : ['needs Linux']),
  ];
  if (reasons.length === 0) return false;
  if (process.env.CI) throw new Error(`nothing is skipped here: ${reasons.join('; ')}`);
  return reasons.join('; ');
};

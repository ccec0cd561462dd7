// The bundle that an earlier build left beside the build directory.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FaasError } from '../../provider/types/errors.ts';
import type { BundleFile } from '../client/bundles.ts';

/** @throws not-found when the function has not been built */
export const readBuiltBundle = async (cwd: string, name: string): Promise<BundleFile> => {
  const shown = join('build', `${name}.tar`);
  const file = join(cwd, shown);
  try {
    const { size } = await stat(file);
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash);
    return { file, digest: hash.digest('hex'), bytes: size };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const hint = 'build it with `sluice build`, or build and deploy it with `sluice up`';
    throw new FaasError('not-found', `${name}: there is no ${shown}; ${hint}`, { cause });
  }
};

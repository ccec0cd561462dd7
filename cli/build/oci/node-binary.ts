// Which Node.js goes into an image of a platform.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FaasError } from '../../../provider/types/errors.ts';
import { findLibraries } from './libraries.ts';
import { formatPlatform, hostPlatform, isSamePlatform, type Platform } from './media-types.ts';

/** Part of glibc, or of what every image with C++ programs has; libatomic comes with the runtime layer. */
const expected = /^(libatomic|libdl|libm|libstdc\+\+|libgcc_s|libpthread|librt|libc)\.so\.\d+$/;

const architectures: Readonly<Record<string, string>> = { amd64: 'x64' };

const variableFor = ({ os, architecture, variant }: Platform): string =>
  ['SLUICE_NODE', os, architecture, ...(variant === undefined || variant === 'v8' ? [] : [variant])].join('_').toUpperCase();

/** The one that is installed beside Sluice, whose version is fixed. */
const installed = (name: string): string | undefined => {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
  } catch {
    return undefined;
  }
};

/** @throws invalid for a build that needs libraries of its distribution */
const checkLinkage = async (file: string, variable: string): Promise<void> => {
  const odd = [...(await findLibraries([file])).files.keys()].filter((name) => !expected.test(name));
  if (odd.length === 0) return;
  throw new FaasError(
    'invalid',
    `${file}: this Node.js needs ${odd.join(', ')} of its distribution and does not run on other images; ` +
      `name one from nodejs.org in ${variable}`,
  );
};

/** @throws not-found with what to do when there is none for the platform */
export const findNode = async (platform: Platform, env: Readonly<Record<string, string | undefined>>): Promise<string> => {
  const variable = variableFor(platform);
  const named = env[variable];
  if (named) return named;
  const name = `node-${platform.os}-${architectures[platform.architecture] ?? platform.architecture}`;
  const isHost = isSamePlatform(platform, hostPlatform()) && process.platform === 'linux';
  const file = installed(name) ?? (isHost ? process.execPath : undefined);
  if (file === undefined) {
    throw new FaasError(
      'not-found',
      `platform ${formatPlatform(platform)}: expected a Node.js for it: name its file in ${variable}, ` +
        `or use a base image that has the runtime`,
    );
  }
  if (isHost) await checkLinkage(file, variable);
  return file;
};

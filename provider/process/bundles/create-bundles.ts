// Makes the store of bundles: uploads, look-ups, copies for other users, and the collection of what nobody needs.
import { join } from 'node:path';
import type { BundleConfig } from '../../types/bundle.ts';
import { bundleConfigFile, isDigest } from '../../types/bundle.ts';
import { FaasError, isFaasError } from '../../types/errors.ts';
import type { Machine } from './bundle-config.ts';
import { checkFits, parseBundleConfig } from './bundle-config.ts';
import type { BundleOptions, BundleStore } from './bundles.ts';
import { createCopies } from './copies.ts';
import type { DigestGate } from './digest-gate.ts';
import { createDigestGate } from './digest-gate.ts';
import { drain, receive } from './receive.ts';
import type { Shelf } from './shelf.ts';
import { createShelf } from './shelf.ts';
import { unpack } from './unpack.ts';

/** How long a bundle that nobody refers to is kept, in ms. */
const keptUnusedMs = 24 * 60 * 60 * 1000;

type Parts = {
  readonly shelf: Shelf;
  readonly gate: DigestGate;
  readonly machine: Machine;
  readonly maxBytes: number;
  readonly now: () => number;
};

const checkDigest = (digest: string): void => {
  if (isDigest(digest)) return;
  throw new FaasError('invalid', `digest: expected 64 lower-case hexadecimal digits, got ${JSON.stringify(digest)}`);
};

const asStorageError = (error: unknown): FaasError =>
  isFaasError(error)
    ? error
    : new FaasError('internal', `bundle: could not be stored: ${(error as Error).message}`, { cause: error });

const isHere = async ({ shelf, gate, now }: Parts, digest: string): Promise<boolean> => {
  await gate.enter(digest, now());
  if ((await shelf.usedAtMs(digest)) === undefined) return false;
  await shelf.touch(digest, now());
  return true;
};

const put = async (parts: Parts, digest: string, body: AsyncIterable<Uint8Array>): Promise<void> => {
  const { shelf, gate, machine, maxBytes, now } = parts;
  checkDigest(digest);
  if (await isHere(parts, digest)) return drain(body, maxBytes);
  await shelf.withRoom(async (room) => {
    const tar = join(room, 'tar');
    const root = join(room, 'root');
    await receive(body, tar, digest, maxBytes);
    await gate.enter(digest, now());
    await gate.once(digest, async () => {
      await unpack(tar, root, machine);
      await shelf.install(root, digest, now());
    });
  });
};

/** Reads a bundle's configuration once, which also proves that the bundle is there. */
const createConfigs = ({ shelf, gate, now }: Parts) => {
  const known = new Map<string, Promise<BundleConfig>>();

  const read = async (digest: string): Promise<BundleConfig> => {
    checkDigest(digest);
    const text = await shelf.read(digest, bundleConfigFile);
    if (text !== undefined) return parseBundleConfig(text);
    throw new FaasError(
      'invalid',
      `image: there is no bundle sha256:${digest} on this gateway; upload it first with \`sluice push\` or \`sluice up\``,
    );
  };

  return {
    get: async (digest: string): Promise<BundleConfig> => {
      await gate.enter(digest, now());
      const before = known.get(digest);
      if (before !== undefined) return before;
      const reading = read(digest);
      known.set(digest, reading);
      reading.catch(() => known.delete(digest));
      return reading;
    },
    forget: (digest: string): void => {
      known.delete(digest);
    },
  };
};

export const createBundles = ({ dataDir, runDir, maxBytes, log, now = Date.now, machine }: BundleOptions): BundleStore => {
  const parts: Parts = {
    shelf: createShelf(dataDir, log),
    gate: createDigestGate(),
    machine: machine ?? { platform: `${process.platform}-${process.arch}`, abi: process.versions.modules },
    maxBytes,
    now,
  };
  const { shelf, gate } = parts;
  const configs = createConfigs(parts);
  const copies = createCopies(runDir);

  const removeUnused = async (digest: string, nowMs: number): Promise<boolean> => {
    const sinceMs = nowMs - keptUnusedMs;
    if (((await shelf.usedAtMs(digest)) ?? nowMs) > sinceMs) return false;
    return gate.removeUnlessUsed(digest, sinceMs, async () => {
      configs.forget(digest);
      await copies.removeDigest(digest);
      await shelf.remove(digest);
    });
  };

  return {
    has: async (digest) => isDigest(digest) && isHere(parts, digest),
    put: (digest, body) =>
      put(parts, digest, body).catch((error: unknown) => {
        throw asStorageError(error);
      }),
    config: async (digest) => {
      const config = await configs.get(digest);
      checkFits(config, parts.machine);
      return config;
    },
    unpacked: async (digest, owner) => {
      await configs.get(digest);
      return owner === undefined ? shelf.path(digest) : copies.get(shelf.path(digest), digest, owner);
    },
    removeArea: copies.removeArea,
    collect: async (inUse, nowMs) => {
      const removed: string[] = [];
      for (const digest of await shelf.digests()) {
        if (inUse.has(digest)) await shelf.touch(digest, nowMs);
        else if (await removeUnused(digest, nowMs)) removed.push(digest);
      }
      return removed;
    },
    sweep: async () => {
      await shelf.sweep();
      await copies.sweep();
    },
  };
};

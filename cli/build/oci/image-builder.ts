// Builds a function's image and brings it where it is wanted: base, runtime where the base has none, and the bundle.
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FaasError } from '../../../provider/types/errors.ts';
import type { Blob, Origin } from './blob.ts';
import { bundleLayer, readBundleConfig } from './bundle-layer.ts';
import { type Base, type BuiltImage, type BuiltManifest, composeImage, composeManifest, createdAt } from './compose.ts';
import { createFindCredentials, type Environment } from './credentials.ts';
import { checkPlatform, type FunctionImage, scratchKindOf, toSettings } from './function-settings.ts';
import type { Layer } from './layer.ts';
import { createLayerCache } from './layer-cache.ts';
import { openLayout } from './layout.ts';
import { formatPlatform, hostPlatform, isSamePlatform, type Platform } from './media-types.ts';
import { findNode } from './node-binary.ts';
import { type Pushed, pushImage } from './push-image.ts';
import { insecureRegistries, parseReference, type Reference } from './reference.ts';
import { createRegistry, type Registry } from './registry.ts';
import { findDigest, registrySource } from './repository.ts';
import { makeRuntime, type Runtime, runtimeLabel } from './runtime-layer.ts';
import { makeScratchImage, type ScratchKind } from './scratch-base.ts';
import { type ImageSource, readBase } from './source.ts';

export type BuilderParts = {
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
  /** The built watchdog of this package. */
  readonly watchdogPath: string;
  /** Where layers that many functions share are kept. */
  readonly cacheDir: string;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
  readonly signal: AbortSignal;
};

export type ImageRequest = {
  readonly name: string;
  /** Absolute path of the built bundle. */
  readonly bundle: string;
  /** sha256 of the bundle. */
  readonly digest: string;
  /** A registry's image, `oci:<dir>[:name]`, `oci-archive:<tar>[:name]`, a path, or `scratch`. */
  readonly baseImage: string;
  /** This machine's own when empty. */
  readonly platforms: readonly Platform[];
  readonly labels: Readonly<Record<string, string>>;
};

export type ImageBuilder = {
  /** The same input gives the same digest. @throws with what is wrong in base, bundle or platform */
  build(request: ImageRequest): Promise<BuiltImage>;
  /** @throws with registry, repository, status and what to do */
  push(image: BuiltImage, target: Reference): Promise<Pushed>;
  /** What a tag of a registry points at; `undefined` when there is none. */
  digestOf(reference: Reference): Promise<string | undefined>;
  close(): Promise<void>;
};

/** `oci:dir:name` in its parts; a drive or a port is no name. */
const layoutOf = (text: string): { path: string; tag: string | undefined } | undefined => {
  const match = /^(?:oci|oci-archive):(.+)$/.exec(text);
  const isPath = /^\.{0,2}\//.test(text);
  if (match === null) return isPath ? { path: text, tag: undefined } : undefined;
  const rest = match[1] ?? '';
  const colon = rest.lastIndexOf(':');
  return colon > rest.lastIndexOf('/') && colon > 0
    ? { path: rest.slice(0, colon), tag: rest.slice(colon + 1) }
    : { path: rest, tag: undefined };
};

const memoized = <Result>(make: (key: string) => Promise<Result>): ((key: string) => Promise<Result>) => {
  const known = new Map<string, Promise<Result>>();
  return (key) => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
};

const createRegistries = (parts: BuilderParts): { get(name: string): Registry; close(): Promise<void> } => {
  const open = new Map<string, Registry>();
  const shared = {
    ...parts,
    insecure: insecureRegistries(parts.env),
    findCredentials: createFindCredentials(parts.env, parts.home),
  };
  return {
    get: (name) => {
      const registry = open.get(name) ?? createRegistry({ ...shared, registry: name });
      open.set(name, registry);
      return registry;
    },
    close: async () => {
      for (const registry of open.values()) await registry.close();
    },
  };
};

const blobsOf = (image: BuiltImage): Blob[] => image.manifests.flatMap((manifest) => manifest.blobs);

/** What another function of this build has brought to the same registry is mounted from there. */
const withOrigins = (image: BuiltImage, arrived: ReadonlyMap<string, Origin>, registry: string): BuiltImage => ({
  ...image,
  manifests: image.manifests.map((manifest) => ({
    ...manifest,
    blobs: manifest.blobs.map((blob) =>
      blob.origin?.registry === registry
        ? blob
        : { ...blob, origin: arrived.get(`${registry} ${blob.descriptor.digest}`) ?? blob.origin },
    ),
  })),
});

export const createImageBuilder = (parts: BuilderParts): ImageBuilder => {
  const { env, cwd, watchdogPath, cacheDir } = parts;
  const cache = createLayerCache(cacheDir, parts.now);
  const registries = createRegistries(parts);
  const created = createdAt(env);
  const arrived = new Map<string, Origin>();

  // Functions that are built side by side share what takes long.
  const scratch = memoized(async (kind) => {
    const nodePath = await findNode(hostPlatform(), env);
    return (await makeScratchImage({ kind: kind as ScratchKind, watchdogPath, cache, nodePath, env })).base;
  });
  const runtimeFor = memoized(async (key): Promise<Runtime> => {
    const platform = JSON.parse(key) as Platform;
    const isHost = isSamePlatform(platform, hostPlatform()) && process.platform === 'linux';
    return makeRuntime({ nodePath: await findNode(platform, env), watchdogPath, isHost, cache });
  });
  // A tag that moves between two platforms, or two functions, of one build would mix versions.
  const rootOf = memoized((name) => registrySource(registries.get(parseReference(name).registry), parseReference(name)).root());

  const openBase = (baseImage: string): Promise<ImageSource> => {
    const layout = layoutOf(baseImage);
    if (layout !== undefined) return openLayout(resolve(cwd, layout.path), layout.tag);
    const reference = parseReference(baseImage);
    const source = registrySource(registries.get(reference.registry), reference);
    return Promise.resolve({ ...source, root: () => rootOf(baseImage) });
  };

  const loadBases = async (fn: FunctionImage, baseImage: string, platforms: readonly Platform[]): Promise<Base[]> => {
    if (baseImage !== 'scratch') {
      const source = await openBase(baseImage);
      return Promise.all(platforms.map((platform) => readBase(source, platform)));
    }
    const other = platforms.find((platform) => !isSamePlatform(platform, hostPlatform()));
    if (other === undefined) return [await scratch(scratchKindOf(fn))];
    throw new FaasError(
      'invalid',
      `${formatPlatform(other)}: a base from scratch is for this machine's platform only, ${formatPlatform(hostPlatform())}`,
    );
  };

  const buildPlatform = async (fn: FunctionImage, base: Base, bundle: Layer): Promise<BuiltManifest> => {
    checkPlatform(fn, base.platform);
    const hasRuntime = base.config.config.Labels?.[runtimeLabel] !== undefined;
    if (hasRuntime) return composeManifest(base, [bundle], toSettings(fn, {}), created);
    const runtime = await runtimeFor(JSON.stringify(base.platform));
    const settings = toSettings({ ...fn, labels: { ...fn.labels, [runtimeLabel]: runtime.label } }, runtime.environment);
    return composeManifest(base, [runtime.layer, bundle], settings, created);
  };

  return {
    build: async ({ name, bundle, digest, baseImage, platforms, labels }) => {
      const fn: FunctionImage = { name, config: await readBundleConfig(bundle), digest, labels };
      const wanted = platforms.length === 0 ? [hostPlatform()] : platforms;
      if (new Set(wanted.map(formatPlatform)).size < wanted.length) throw new FaasError('invalid', 'platforms: named twice');
      const bases = await loadBases(fn, baseImage, wanted);
      const file = bundle.replace(/(\.tar)?$/, '.layer.tar.gz');
      await mkdir(dirname(file), { recursive: true });
      const layer = await bundleLayer(bundle, file, parts.signal);
      const manifests: BuiltManifest[] = [];
      for (const base of bases) manifests.push(await buildPlatform(fn, base, layer));
      return composeImage(manifests);
    },
    push: async (image, target) => {
      const { repository, registry } = target;
      const pushed = await pushImage(
        { registry: registries.get(registry), repository },
        target,
        withOrigins(image, arrived, registry),
      );
      for (const { descriptor } of blobsOf(image)) arrived.set(`${registry} ${descriptor.digest}`, { registry, repository });
      return pushed;
    },
    digestOf: (reference) => findDigest(registries.get(reference.registry), reference),
    close: registries.close,
  };
};

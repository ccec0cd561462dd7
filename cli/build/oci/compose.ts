// Base, layers and settings become an image: manifest, configuration and, for several platforms, an index. Pure.
import { byCodeUnit } from '../files.ts';
import { type Blob, blobOfBytes, jsonBytes, sha256 } from './blob.ts';
import type { Layer } from './layer.ts';
import { type Descriptor, type ImageConfig, mediaTypes, type Platform } from './media-types.ts';

/** One platform of an image to build on. */
export type Base = {
  /** Registry reference; absent for a layout on this machine, whose path is nobody else's business. */
  readonly name?: string | undefined;
  readonly digest?: string | undefined;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly layers: readonly Blob[];
};

export type ImageSettings = {
  readonly environment: Readonly<Record<string, string>>;
  /** Folders put behind the base's own PATH. */
  readonly path?: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly port?: number;
  readonly labels: Readonly<Record<string, string>>;
};

export type BuiltManifest = {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  /** Configuration and layers. */
  readonly blobs: readonly Blob[];
};

export type BuiltImage = {
  /** What a tag points at: the manifest itself, or the index of all. */
  readonly root: { readonly descriptor: Descriptor; readonly bytes: Buffer };
  readonly manifests: readonly BuiltManifest[];
};

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const emptyBase = (platform: Platform): Base => ({
  platform,
  config: { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [] } },
  layers: [],
});

/** `environment` over the lines of the base, which keep their places; new ones come sorted behind them. */
const mergeEnvironment = (
  lines: readonly string[],
  environment: Readonly<Record<string, string>>,
  path: readonly string[],
): string[] => {
  const merged = new Map(lines.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
  const known = (merged.get('PATH') || defaultPath).split(':');
  merged.set('PATH', [...known, ...path.filter((each) => !known.includes(each))].join(':'));
  for (const [name, value] of Object.entries(environment).sort(([a], [b]) => byCodeUnit(a, b))) merged.set(name, value);
  return [...merged].map(([name, value]) => `${name}=${value}`);
};

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => byCodeUnit(a, b)));

const composeConfig = (base: Base, layers: readonly Layer[], settings: ImageSettings, created: string): unknown => {
  const { config: inherited, rootfs, history, ...rest } = base.config;
  // Why these go: they describe the base's own program, or act when an image is built on it by a Dockerfile.
  const { Healthcheck: _, OnBuild: __, Cmd: ___, Entrypoint: ____, Env, Labels, ...kept } = inherited;
  return {
    ...rest,
    created,
    config: {
      ...kept,
      ...(settings.user === undefined ? {} : { User: settings.user }),
      ...(settings.port === undefined ? {} : { ExposedPorts: { [`${settings.port}/tcp`]: {} } }),
      Env: mergeEnvironment(Env ?? [], settings.environment, settings.path ?? []),
      ...(settings.entrypoint.length === 0 ? {} : { Entrypoint: settings.entrypoint }),
      ...(settings.cmd === undefined ? {} : { Cmd: settings.cmd }),
      ...(settings.workdir === undefined ? {} : { WorkingDir: settings.workdir }),
      Labels: sorted({ ...Labels, ...settings.labels }),
    },
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, ...layers.map((layer) => layer.diffId)] },
    history: [...(history ?? []), ...layers.map((layer) => ({ created, created_by: layer.createdBy }))],
  };
};

/** @param created RFC 3339; the same for the same input, so no wall clock */
export const composeManifest = (
  base: Base,
  layers: readonly Layer[],
  settings: ImageSettings,
  created: string,
): BuiltManifest => {
  const config = blobOfBytes(mediaTypes.config, jsonBytes(composeConfig(base, layers, settings, created)));
  const stack = [...base.layers, ...layers.map((layer) => layer.blob)];
  const annotations = {
    ...(base.digest === undefined ? {} : { 'org.opencontainers.image.base.digest': base.digest }),
    ...(base.name === undefined ? {} : { 'org.opencontainers.image.base.name': base.name }),
  };
  const bytes = jsonBytes({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: config.descriptor,
    layers: stack.map((blob) => blob.descriptor),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  const { platform } = base;
  return {
    descriptor: { mediaType: mediaTypes.manifest, digest: sha256(bytes), size: bytes.length, platform },
    bytes,
    blobs: [config, ...stack],
  };
};

/** One manifest stays as it is; several come under an index. */
export const composeImage = (manifests: readonly BuiltManifest[]): BuiltImage => {
  const [first, ...others] = manifests;
  if (first === undefined) throw new Error('an image has at least one platform');
  if (others.length === 0) return { root: first, manifests };
  const bytes = jsonBytes({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: manifests.map((each) => each.descriptor) });
  return { root: { descriptor: { mediaType: mediaTypes.index, digest: sha256(bytes), size: bytes.length }, bytes }, manifests };
};

/** SOURCE_DATE_EPOCH, or 1970, as images write a time. */
export const createdAt = (env: Readonly<Record<string, string | undefined>>): string => {
  const text = env.SOURCE_DATE_EPOCH ?? '';
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : 0;
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
};

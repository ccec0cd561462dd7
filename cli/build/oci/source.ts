// Where a base image comes from, and how the part for one platform is read out of it.
import { buffer } from 'node:stream/consumers';
import { FaasError } from '../../../provider/types/errors.ts';
import { type Blob, sha256 } from './blob.ts';
import type { Base } from './compose.ts';
import {
  asOciLayer,
  type Descriptor,
  formatPlatform,
  isIndex,
  isManifest,
  isSamePlatform,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from './media-types.ts';

export type ImageSource = {
  /** For messages. */
  readonly name: string;
  /** Registry reference without a digest; absent for a layout. */
  readonly reference: string | undefined;
  root(): Promise<Descriptor>;
  /** Configuration or layer. */
  blob(descriptor: Descriptor): Blob;
  /** Manifest or index; a registry keeps them apart from blobs. */
  document(descriptor: Descriptor): Blob;
};

/** Manifests and configurations are small; what claims to be larger is not read into memory. */
const maxDocumentBytes = 4 * 1024 * 1024;

const readDocument = async (name: string, blob: Blob): Promise<Buffer> => {
  const { digest, size } = blob.descriptor;
  if (size > maxDocumentBytes) throw new FaasError('too-large', `${name}: ${digest} has ${size} bytes, expected at most 4 MiB`);
  const bytes = await buffer(await blob.open());
  const got = sha256(bytes);
  if (got !== digest) throw new FaasError('upstream', `${name}: expected ${digest}, got content of ${got}`);
  return bytes;
};

const findManifest = async (source: ImageSource, at: Descriptor, platform: Platform): Promise<Descriptor> => {
  if (isManifest(at.mediaType)) return at;
  if (!isIndex(at.mediaType)) throw new FaasError('invalid', `${source.name}: expected an image, got ${at.mediaType}`);
  const { manifests } = parseIndex(source.name, await readDocument(source.name, source.document(at)));
  const found = manifests.find((each) => each.platform !== undefined && isSamePlatform(each.platform, platform));
  if (found !== undefined) return findManifest(source, found, platform);
  const known = manifests.flatMap((each) => (each.platform?.os === 'linux' ? [formatPlatform(each.platform)] : []));
  const list = known.length === 0 ? 'none' : [...new Set(known)].join(', ');
  throw new FaasError('invalid', `${source.name}: has no image for ${formatPlatform(platform)}; it has ${list}`);
};

/**
 * Reads manifest and configuration; layers stay where they are until somebody opens them.
 * @throws invalid when there is nothing for the platform
 */
export const readBase = async (source: ImageSource, platform: Platform): Promise<Base> => {
  const root = await source.root();
  const at = await findManifest(source, root, platform);
  const manifest = parseManifest(source.name, await readDocument(source.name, source.document(at)));
  const config = parseImageConfig(source.name, await readDocument(source.name, source.blob(manifest.config)));
  const own: Platform = {
    os: config.os,
    architecture: config.architecture,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
  };
  if (!isSamePlatform(own, platform)) {
    throw new FaasError('invalid', `${source.name}: is for ${formatPlatform(own)}, expected ${formatPlatform(platform)}`);
  }
  if (manifest.layers.length !== config.rootfs.diff_ids.length) {
    throw new FaasError(
      'invalid',
      `${source.name}: its manifest has ${manifest.layers.length} layers, its configuration another number`,
    );
  }
  return {
    name: source.reference,
    digest: root.digest,
    platform: own,
    config,
    layers: manifest.layers.map((layer) => ({ ...source.blob(layer), descriptor: asOciLayer(source.name, layer) })),
  };
};

// What the OCI image format and Docker's older one have in common, as far as building on a base needs it.
import { z } from 'zod';
import { FaasError } from '../../../provider/types/errors.ts';
import { describeIssues } from '../../../provider/types/validate.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzipLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstdLayer: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

/** Docker's layer types by their OCI names: the bytes are the same. */
const layerTypes: Readonly<Record<string, string>> = {
  [mediaTypes.layer]: mediaTypes.layer,
  [mediaTypes.gzipLayer]: mediaTypes.gzipLayer,
  [mediaTypes.zstdLayer]: mediaTypes.zstdLayer,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': mediaTypes.gzipLayer,
  'application/vnd.docker.image.rootfs.diff.tar': mediaTypes.layer,
};

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hexadecimal digits>');

export const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
export type Platform = z.infer<typeof Platform>;

export const Descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.int().nonnegative(),
  platform: Platform.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

const Manifest = z.object({ mediaType: z.string().optional(), config: Descriptor, layers: z.array(Descriptor) });
export type Manifest = z.infer<typeof Manifest>;

const Index = z.object({ mediaType: z.string().optional(), manifests: z.array(Descriptor) });
export type Index = z.infer<typeof Index>;

const texts = z.record(z.string(), z.string()).nullish();
const ImageConfig = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  config: z
    .looseObject({ Env: z.array(z.string()).nullish(), Labels: texts, User: z.string().optional() })
    .nullish()
    .transform((value) => value ?? {}),
  rootfs: z.looseObject({ diff_ids: z.array(digest) }),
  history: z.array(z.looseObject({})).nullish(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

const parseJson = <T>(schema: z.ZodType<T>, what: string, bytes: Buffer): T => {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    throw new FaasError('upstream', `${what}: expected JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaasError('upstream', `${what}: ${describeIssues(result.error, value, 'the document')}`);
};

/** @param what named in messages. @throws upstream for what is no manifest */
export const parseManifest = (what: string, bytes: Buffer): Manifest => parseJson(Manifest, what, bytes);
export const parseIndex = (what: string, bytes: Buffer): Index => parseJson(Index, what, bytes);
export const parseImageConfig = (what: string, bytes: Buffer): ImageConfig => parseJson(ImageConfig, what, bytes);

export const isIndex = (mediaType: string): boolean => mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
export const isManifest = (mediaType: string): boolean =>
  mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;

/** A base's layer as an OCI manifest names it. @throws invalid for layers that may not be copied, or that nobody knows */
export const asOciLayer = (what: string, layer: Descriptor): Descriptor => {
  const mediaType = layerTypes[layer.mediaType];
  if (mediaType !== undefined) return { mediaType, digest: layer.digest, size: layer.size };
  throw new FaasError('invalid', `${what}: layer ${layer.digest} is of type ${layer.mediaType}, which cannot be built on`);
};

/** Node's names of processors as images have them. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const hostPlatform = (): Platform => ({
  os: 'linux',
  architecture: architectures[process.arch] ?? process.arch,
});

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** `linux/amd64`, `linux/arm64`, `linux/arm/v7`. @throws invalid */
export const parsePlatform = (text: string): Platform => {
  const [os = '', architecture = '', variant, ...rest] = text.split('/');
  if (os === 'linux' && /^[a-z0-9]+$/.test(architecture) && rest.length === 0 && variant !== '') {
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  }
  throw new FaasError('invalid', `platform: expected linux/<architecture> such as linux/arm64, got ${JSON.stringify(text)}`);
};

/** Equal, where `v8` is what arm64 means anyway. */
export const isSamePlatform = (a: Platform, b: Platform): boolean => {
  const variantOf = (each: Platform): string => each.variant ?? (each.architecture === 'arm64' ? 'v8' : '');
  return a.os === b.os && a.architecture === b.architecture && variantOf(a) === variantOf(b);
};

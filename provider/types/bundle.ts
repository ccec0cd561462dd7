// A bundle is a built function: one deterministic tar with the template's files, the handler, its dependencies and,
// as its first entry, `sluice.json` with this configuration. Its name is the sha256 of the tar.
import { z } from 'zod';
import { FaasError } from './errors.ts';

export const bundleConfigFile = 'sluice.json';

/** The largest bundle that a gateway takes, in bytes. */
export const defaultMaxBundleBytes = 512 * 1024 * 1024;

export const watchdogModes = ['inproc', 'http', 'streaming', 'serializing', 'static'] as const;
export type WatchdogMode = (typeof watchdogModes)[number];

export const BundleConfig = z.strictObject({
  version: z.literal(1),
  /** The template it was built from. */
  language: z.string(),
  mode: z.enum(watchdogModes),
  /** inproc: module that exports the handler, relative to the bundle's root. */
  handler: z.string().optional(),
  /** Other modes: command to run, split on single spaces as of-watchdog does; its working directory is the bundle's root. */
  fprocess: z.string().optional(),
  /** Defaults for the watchdog and the function, as the ENV lines of a template's Dockerfile; a deployment's own win. */
  environment: z.record(z.string(), z.string()).optional(),
  /** `<os>-<arch>`, set when the bundle holds native code. */
  platform: z.string().optional(),
  /** Node's module version, set when the bundle holds native Node add-ons. */
  abi: z.string().optional(),
});
export type BundleConfig = z.infer<typeof BundleConfig>;

export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

export type BundleImage = { readonly name: string; readonly digest: string };

/** `name:tag@sha256:<64 hex>` as `sluice build` prints it; `undefined` for any other text. */
export const parseBundleImage = (image: string): BundleImage | undefined => {
  const match = /^([A-Za-z0-9][\w.:/-]*)@sha256:([0-9a-f]{64})$/.exec(image);
  return match?.[1] !== undefined && match[2] !== undefined ? { name: match[1], digest: match[2] } : undefined;
};

export const formatBundleImage = (image: BundleImage): string => `${image.name}@sha256:${image.digest}`;

/** @throws invalid with what to do, for a provider that runs bundles only */
export const requireBundleImage = (image: string): BundleImage => {
  const parsed = parseBundleImage(image);
  if (parsed !== undefined) return parsed;
  throw new FaasError(
    'invalid',
    `image: expected name:tag@sha256:<digest> of an uploaded bundle, got ${JSON.stringify(image)}; ` +
      'this gateway runs functions as local processes and pulls no images: build, upload and deploy the function with ' +
      '`sluice up`, or build it with `sluice build` and upload it with `sluice push`',
  );
};

// Turns what was built into images in a registry, for gateways that run images.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import type { BuildOptions as Build } from '../build/build-function.ts';
import type { ImageBuilder } from '../build/oci/image-builder.ts';
import type { Reference } from '../build/oci/reference.ts';
import type { BundleFile } from '../client/bundles.ts';
import { builtinTemplates, type Context } from '../context.ts';
import type { StackFunction } from '../stack/stack.ts';
import { type ImageOptions, pickBaseImage, readPlatforms } from './image-options.ts';

export type ImageResult = {
  /** `name:tag@sha256:<digest>`; without a digest when the registry did not tell it. */
  readonly image: string;
  /** False when the registry had all of it. */
  readonly uploaded: boolean;
  readonly sentBytes: number;
};

export type Bundled = {
  readonly fn: StackFunction;
  /** `name:tag`. */
  readonly image: string;
  readonly bundle: BundleFile;
};

export type Imager = {
  /** Builds the image of a bundle and pushes it. */
  push(work: Bundled): Promise<ImageResult>;
  /** Writes it to an OCI layout directory instead; resolves to its name with digest. */
  write(work: Bundled, dir: string): Promise<string>;
  /** True when only a Dockerfile can build the function. */
  needsDockerfile(fn: StackFunction): Promise<boolean>;
  /** Builds a Dockerfile with the tool of this machine. */
  buildDockerfile(build: Build, image: string): Promise<void>;
  pushDockerfile(image: string): Promise<ImageResult>;
  close(): Promise<void>;
};

/**
 * The image's name with the registry in front that `image` may leave out.
 * @throws invalid for a bare name without OPENFAAS_PREFIX: it would go to Docker's own library
 */
export const withPrefix = (image: string, prefix: string | undefined): string => {
  if (image.includes('/')) return image;
  if (prefix) return `${prefix.replace(/\/+$/, '')}/${image}`;
  throw new FaasError(
    'invalid',
    `image: expected a name with its registry or user, such as registry.example.com/team/${image}, got ${JSON.stringify(image)}; ` +
      'write it into the stack file, or set OPENFAAS_PREFIX',
  );
};

const cacheOf = (ctx: Context): string => join(ctx.env.XDG_CACHE_HOME || join(ctx.home, '.cache'), 'sluice', 'layers');

const toReference = async (ctx: Context, image: string): Promise<{ name: string; reference: Reference }> => {
  const { parseReference } = await import('../build/oci/reference.ts');
  const name = withPrefix(image.split('@', 1)[0] ?? '', ctx.env.OPENFAAS_PREFIX);
  return { name, reference: parseReference(name) };
};

const createBuilder = async (ctx: Context): Promise<ImageBuilder> => {
  const { createImageBuilder } = await import('../build/oci/image-builder.ts');
  return createImageBuilder({
    env: ctx.env,
    home: ctx.home,
    cwd: ctx.cwd,
    watchdogPath: join(ctx.packageRoot, 'dist', 'watchdog.cjs'),
    cacheDir: cacheOf(ctx),
    now: ctx.now,
    sleep: (ms) => ctx.sleep(ms, ctx.signal),
    random: Math.random,
    signal: ctx.signal,
  });
};

const createDockerfileSteps = (ctx: Context, builder: ImageBuilder, options: ImageOptions) => ({
  needsDockerfile: async (fn: StackFunction): Promise<boolean> => {
    const { needsDockerfile } = await import('../build/dockerfile-function.ts');
    return needsDockerfile(fn.lang, ctx.cwd, builtinTemplates(ctx));
  },
  buildDockerfile: async (build: Build, image: string): Promise<void> => {
    const { createDockerfileContext } = await import('../build/dockerfile-function.ts');
    const { findContainerTool, buildArguments, runContainerTool } = await import('../build/container-tool.ts');
    const tool = await findContainerTool(ctx.env, ctx.signal);
    const { dir, buildArgs } = await createDockerfileContext(build);
    const { name } = await toReference(ctx, image);
    build.log(`${tool} builds ${name}`);
    const args = buildArguments(tool, { dir, image: name, buildArgs, labels: {}, platform: options.platforms || undefined });
    await runContainerTool(tool, args, { cwd: ctx.cwd, env: ctx.env, signal: ctx.signal });
  },
  pushDockerfile: async (image: string): Promise<ImageResult> => {
    const { findContainerTool, pushArguments, runContainerTool } = await import('../build/container-tool.ts');
    const { insecureRegistries, registryUrl } = await import('../build/oci/reference.ts');
    const tool = await findContainerTool(ctx.env, ctx.signal);
    const { name, reference } = await toReference(ctx, image);
    const plain = registryUrl(reference.registry, insecureRegistries(ctx.env)).startsWith('http:');
    await runContainerTool(tool, pushArguments(tool, name, plain), { cwd: ctx.cwd, env: ctx.env, signal: ctx.signal });
    // The tool may have a login that docker's configuration does not have; then the tag alone has to do.
    const digest = await builder.digestOf(reference).catch((error: unknown) => {
      if (isFaasError(error) && ['unauthorized', 'forbidden'].includes(error.code)) return undefined;
      throw error;
    });
    return { image: digest === undefined ? name : `${name}@${digest}`, uploaded: true, sentBytes: 0 };
  },
});

/** Has registries open until `close`. */
export const createImager = async (ctx: Context, options: ImageOptions): Promise<Imager> => {
  const platforms = readPlatforms(options);
  const builder = await createBuilder(ctx);
  const buildImage = async ({ fn, bundle }: Bundled) => {
    const { findTemplate } = await import('../templates/find.ts');
    const { name: lang, config } = await findTemplate(fn.lang, { cwd: ctx.cwd, builtinDir: builtinTemplates(ctx) });
    return builder.build({
      name: fn.name,
      bundle: bundle.file,
      digest: bundle.digest,
      baseImage: pickBaseImage(ctx, options, lang, config.sluice?.base_image),
      platforms,
      labels: {},
    });
  };
  return {
    ...createDockerfileSteps(ctx, builder, options),
    push: async (work) => {
      const { name, reference } = await toReference(ctx, work.image);
      const { digest, counts, sentBytes } = await builder.push(await buildImage(work), reference);
      return { image: `${name}@${digest}`, uploaded: counts.sent + counts.mounted > 0, sentBytes };
    },
    write: async (work, dir) => {
      const { writeLayout } = await import('../build/oci/layout.ts');
      const image = await buildImage(work);
      await rm(dir, { recursive: true, force: true });
      await writeLayout(dir, image, work.image.split('@', 1)[0] ?? '');
      return `${work.image.split('@', 1)[0]}@${image.root.descriptor.digest}`;
    },
    close: builder.close,
  };
};

// One repository of a registry: its manifests and blobs, by OCI's distribution protocol.
import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { FaasError } from '../../../provider/types/errors.ts';
import { type Blob, sha256 } from './blob.ts';
import { type Descriptor, mediaTypes } from './media-types.ts';
import type { Reference } from './reference.ts';
import { formatReference } from './reference.ts';
import type { Registry } from './registry.ts';
import { connectionError, transient } from './registry-error.ts';
import { isPassingError } from './retry.ts';
import type { ImageSource } from './source.ts';
import { headerOf } from './transport.ts';

const accepted = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest].join(', ');
const maxManifestBytes = 4 * 1024 * 1024;

export const pullScope = (repository: string): string => `repository:${repository}:pull`;
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`;

/** Passes bytes on and fails at the end when they are not what the digest says, or were cut short. */
const verifying = (what: string, { digest, size }: Descriptor): Transform => {
  const hash = createHash('sha256');
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      const got = `sha256:${hash.digest('hex')}`;
      const failure = `${what}: expected ${size} bytes of ${digest}, got ${bytes} of ${got}`;
      done(got === digest ? null : transient(new FaasError('upstream', failure)));
    },
  });
};

const openBlob = async (registry: Registry, repository: string, descriptor: Descriptor): Promise<Readable> => {
  const { digest } = descriptor;
  const attempted = { registry: registry.name, repository, what: `reading ${digest}` };
  const at = `/v2/${repository}/blobs/${digest}`;
  const reply = await registry.send({ attempted, method: 'GET', at, scopes: [pullScope(repository)], expect: [200] });
  const checked = verifying(`registry ${registry.name}: ${attempted.what}`, descriptor);
  return pipeline(reply.body, checked, (error) => {
    if (error && isPassingError(error)) checked.destroy(transient(connectionError(attempted, error)));
  });
};

const readManifest = async (
  registry: Registry,
  repository: string,
  name: string,
): Promise<{ mediaType: string; bytes: Buffer }> => {
  const attempted = { registry: registry.name, repository, what: `reading the manifest of ${name}` };
  const reply = await registry.send({
    attempted,
    method: 'GET',
    at: `/v2/${repository}/manifests/${name}`,
    headers: { accept: accepted },
    scopes: [pullScope(repository)],
    expect: [200],
  });
  if (Number(headerOf(reply, 'content-length') ?? 0) > maxManifestBytes) {
    await reply.body.dump();
    throw new FaasError('too-large', `registry ${registry.name}: ${attempted.what}: expected at most 4 MiB`);
  }
  const mediaType = (headerOf(reply, 'content-type') ?? '').split(';', 1)[0] ?? '';
  return { mediaType, bytes: await buffer(reply.body) };
};

/** The digest that a tag points at now; `undefined` when there is none. */
export const findDigest = async (registry: Registry, { repository, tag }: Reference): Promise<string | undefined> => {
  const attempted = { registry: registry.name, repository, what: `looking for ${tag}` };
  const at = `/v2/${repository}/manifests/${tag}`;
  const scopes = [pullScope(repository)];
  const reply = await registry.send({ attempted, method: 'HEAD', at, headers: { accept: accepted }, scopes, expect: [200, 404] });
  await reply.body.dump();
  return reply.status === 200 ? headerOf(reply, 'docker-content-digest') : undefined;
};

/** An image of a registry to build on. */
export const registrySource = (registry: Registry, reference: Reference): ImageSource => {
  const { repository, tag, digest } = reference;
  const name = formatReference(reference);
  const origin = { registry: registry.name, repository };
  return {
    name,
    reference: `${registry.name}/${repository}:${tag}`,
    root: async () => {
      const { mediaType, bytes } = await readManifest(registry, repository, digest ?? tag);
      return { mediaType, digest: sha256(bytes), size: bytes.length };
    },
    blob: (descriptor): Blob => ({ descriptor, origin, open: () => openBlob(registry, repository, descriptor) }),
    document: (descriptor) => ({
      descriptor,
      open: async () => {
        const { bytes } = await readManifest(registry, repository, descriptor.digest);
        return Readable.from([bytes]);
      },
    }),
  };
};

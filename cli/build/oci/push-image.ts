// An image to a registry: blobs first, then manifests, then what the tag points at, so that nothing is ever half there.
import type { Blob } from './blob.ts';
import type { BuiltImage } from './compose.ts';
import type { Reference } from './reference.ts';
import { pushScope } from './repository.ts';
import { type Arrival, type Target, uploadBlob } from './upload.ts';

export type Pushed = {
  readonly digest: string;
  readonly counts: Readonly<Record<Arrival, number>>;
  /** What went over the wire, without manifests. */
  readonly sentBytes: number;
};

const parallelUploads = 3;

const uploadAll = async (target: Target, blobs: readonly Blob[], done: (blob: Blob, arrival: Arrival) => void): Promise<void> => {
  const queue = blobs.values();
  const stop = new AbortController();
  const worker = async (): Promise<void> => {
    for (const blob of queue) {
      if (stop.signal.aborted) return;
      try {
        done(blob, await uploadBlob(target, blob));
      } catch (error) {
        stop.abort();
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: parallelUploads }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
};

const putManifest = async (target: Target, name: string, mediaType: string, bytes: Buffer): Promise<void> => {
  const { registry, repository } = target;
  const reply = await registry.send({
    attempted: { registry: registry.name, repository, what: `writing the manifest of ${name}` },
    method: 'PUT',
    at: `/v2/${repository}/manifests/${name}`,
    headers: { 'content-type': mediaType },
    body: async () => bytes,
    scopes: [pushScope(repository)],
    expect: [200, 201, 202],
  });
  await reply.body.dump();
};

/** @throws with registry, repository, status and what to do; the tag is as before then */
export const pushImage = async (target: Target, { tag }: Pick<Reference, 'tag'>, image: BuiltImage): Promise<Pushed> => {
  const counts: Record<Arrival, number> = { there: 0, mounted: 0, sent: 0 };
  let sentBytes = 0;
  const blobs = new Map(image.manifests.flatMap((manifest) => manifest.blobs).map((blob) => [blob.descriptor.digest, blob]));
  await uploadAll(target, [...blobs.values()], (blob, arrival) => {
    counts[arrival] += 1;
    if (arrival === 'sent') sentBytes += blob.descriptor.size;
  });
  const { descriptor, bytes } = image.root;
  for (const manifest of image.manifests) {
    if (manifest.descriptor.digest === descriptor.digest) continue;
    await putManifest(target, manifest.descriptor.digest, manifest.descriptor.mediaType, manifest.bytes);
  }
  await putManifest(target, tag, descriptor.mediaType, bytes);
  return { digest: descriptor.digest, counts, sentBytes };
};

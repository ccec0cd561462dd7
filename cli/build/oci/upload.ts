// Brings one blob into a repository: not at all when it is there, by a mount when another repository of the registry has
// it, in one piece otherwise, and in pieces that can be resumed once that was cut.
import { FaasError, isFaasError } from '../../../provider/types/errors.ts';
import type { Blob } from './blob.ts';
import type { Descriptor } from './media-types.ts';
import type { Registry } from './registry.ts';
import { isTransient } from './registry-error.ts';
import { pullScope, pushScope } from './repository.ts';
import { maxAttempts } from './retry.ts';
import { type Call, headerOf, type Reply } from './transport.ts';

export type Target = { readonly registry: Registry; readonly repository: string };

export type Arrival = 'there' | 'mounted' | 'sent';

/** Registries want pieces of at least 5 MiB, and proxies often take no more than 10. */
export const pieceBytes = 8 * 1024 * 1024;

const callFor = ({ registry, repository }: Target, what: string) => ({
  attempted: { registry: registry.name, repository, what },
  scopes: [pushScope(repository)],
});

const isThere = async (target: Target, { digest }: Descriptor): Promise<boolean> => {
  const at = `/v2/${target.repository}/blobs/${digest}`;
  const reply = await target.registry.send({
    ...callFor(target, `looking for ${digest}`),
    method: 'HEAD',
    at,
    expect: [200, 404],
  });
  await reply.body.dump();
  return reply.status === 200;
};

const locationOf = async (reply: Reply, call: Pick<Call, 'attempted'>, before?: string): Promise<string> => {
  await reply.body.dump();
  const location = headerOf(reply, 'location') ?? before;
  if (location !== undefined) return location;
  const { registry, what } = call.attempted;
  throw new FaasError('upstream', `registry ${registry}: ${what}: expected a Location in the answer`);
};

/** Where to send it; `undefined` when it was mounted. */
const tryMount = async (target: Target, { descriptor, origin }: Blob): Promise<string | undefined> => {
  if (origin === undefined) return undefined;
  const call = callFor(target, `mounting ${descriptor.digest} from ${origin.repository}`);
  const query = new URLSearchParams({ mount: descriptor.digest, from: origin.repository });
  const reply = await target.registry.send({
    ...call,
    method: 'POST',
    at: `/v2/${target.repository}/blobs/uploads/?${query}`,
    scopes: [...call.scopes, pullScope(origin.repository)],
    expect: [201, 202],
  });
  if (reply.status === 202) return locationOf(reply, call);
  await reply.body.dump();
  return undefined;
};

const begin = async (target: Target, { digest }: Descriptor): Promise<string> => {
  const call = callFor(target, `starting to upload ${digest}`);
  const at = `/v2/${target.repository}/blobs/uploads/`;
  return locationOf(await target.registry.send({ ...call, method: 'POST', at, expect: [202] }), call);
};

const withDigest = (location: string, digest: string): string =>
  `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;

const finish = async (target: Target, location: string, blob: Blob, whole: boolean): Promise<void> => {
  const { digest, size } = blob.descriptor;
  const reply = await target.registry.send({
    ...callFor(target, `uploading ${digest}`),
    method: 'PUT',
    at: withDigest(location, digest),
    headers: { 'content-type': 'application/octet-stream', 'content-length': whole ? String(size) : '0' },
    ...(whole ? { body: blob.open } : {}),
    expect: [201, 204],
    once: true,
  });
  await reply.body.dump();
};

/** The blob from `offset` on, in pieces that are in memory and can be sent again. */
async function* piecesFrom(blob: Blob, offset: number): AsyncGenerator<Buffer> {
  let skip = offset;
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of (await blob.open()) as AsyncIterable<Buffer>) {
    let rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    while (rest.length > 0) {
      const part = rest.subarray(0, pieceBytes - bytes);
      held.push(part);
      bytes += part.length;
      rest = rest.subarray(part.length);
      if (bytes < pieceBytes) continue;
      yield Buffer.concat(held);
      held = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(held);
}

type Progress = { location: string; offset: number };

/** What the registry has of an upload that was cut; `undefined` when it has forgotten it. */
const resume = async (target: Target, { location }: Progress, { digest }: Descriptor): Promise<Progress | undefined> => {
  const call = callFor(target, `resuming the upload of ${digest}`);
  const reply = await target.registry.send({ ...call, method: 'GET', at: location, expect: [200, 202, 204, 400, 404, 416] });
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(reply, 'range') ?? '')?.[1];
  const next = await locationOf(reply, call, location);
  if (reply.status >= 400) return undefined;
  // Distribution says 0-0 both for one byte and for none; a byte sent twice would be refused, so such a start is not used.
  const offset = last === undefined || last === '0' ? 0 : Number(last) + 1;
  return offset === 0 ? undefined : { location: next, offset };
};

const sendPieces = async (target: Target, blob: Blob, progress: Progress): Promise<void> => {
  const call = callFor(target, `uploading ${blob.descriptor.digest}`);
  for await (const piece of piecesFrom(blob, progress.offset)) {
    const end = progress.offset + piece.length - 1;
    const reply = await target.registry.send({
      ...call,
      method: 'PATCH',
      at: progress.location,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(piece.length),
        'content-range': `${progress.offset}-${end}`,
      },
      body: async () => piece,
      expect: [202, 204],
      once: true,
    });
    progress.location = await locationOf(reply, call, progress.location);
    progress.offset = end + 1;
  }
  await finish(target, progress.location, blob, false);
};

/** Repeats from where the last attempt got to. */
const sendBlob = async (target: Target, blob: Blob, started: string | undefined): Promise<void> => {
  const { registry } = target;
  const { descriptor } = blob;
  let location = started;
  let progress: Progress | undefined;
  for (let next = 2; ; next += 1) {
    try {
      if (next === 2 || descriptor.size <= pieceBytes) {
        return await finish(target, location ?? (await begin(target, descriptor)), blob, true);
      }
      if (progress !== undefined) progress = await resume(target, progress, descriptor);
      progress ??= { location: await begin(target, descriptor), offset: 0 };
      return await sendPieces(target, blob, progress);
    } catch (error) {
      if (!isTransient(error) || next > maxAttempts) throw error;
      await registry.rest(next, error);
      location = undefined;
      // The answer to the last piece may be what was lost.
      if (await isThere(target, descriptor)) return;
    }
  }
};

/** @throws with registry, repository, status and what to do */
export const uploadBlob = async (target: Target, blob: Blob): Promise<Arrival> => {
  if (await isThere(target, blob.descriptor)) return 'there';
  const { origin } = blob;
  let location: string | undefined;
  if (origin !== undefined && origin.registry === target.registry.name && origin.repository !== target.repository) {
    try {
      location = await tryMount(target, blob);
      if (location === undefined) return 'mounted';
    } catch (error) {
      // A mount saves a transfer; who may not read the other repository this way sends the bytes.
      const refused = isFaasError(error) && ['unauthorized', 'forbidden', 'not-found', 'upstream'].includes(error.code);
      if (!refused) throw error;
    }
  }
  await sendBlob(target, blob, location);
  return 'sent';
};

// HEAD and PUT /system/bundles/{sha256}: how a built function reaches a gateway that runs bundles.
import type { IncomingMessage } from 'node:http';
import type { Bundles, Provider } from '../../provider/provider.ts';
import { isDigest } from '../../provider/types/bundle.ts';
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { checkDeclaredLength } from '../http/json-body.ts';
import { sendEmpty } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';

type Run = Route['run'];

const bundlesOf = (provider: Provider): Bundles => {
  if (provider.bundles !== undefined) return provider.bundles;
  throw new FaasError('not-implemented', 'this provider runs images from a registry and takes no bundles');
};

const digestOf = (name: string): string => {
  if (isDigest(name)) return name;
  throw new FaasError('invalid', `digest: expected 64 lower-case hexadecimal digits, got ${JSON.stringify(name)}`);
};

/** The body as it comes; a client that sends nothing for `silenceMs` is cut off. */
async function* incoming(req: IncomingMessage, silenceMs: number): AsyncGenerator<Uint8Array, void> {
  // Left open when the provider stops reading: the client still has to get the answer that says why.
  const chunks: AsyncIterator<Uint8Array> = req.iterator({ destroyOnReturn: false });
  for (;;) {
    const silence = setTimeout(() => req.destroy(new Error(`nothing more came for ${formatDuration(silenceMs)}`)), silenceMs);
    const next = await chunks.next().finally(() => clearTimeout(silence));
    if (next.done === true) return;
    yield next.value;
  }
}

type Limits = { readonly maxBundleBytes: number; readonly readTimeoutMs: number };

export const bundleHandlers = (provider: Provider, { maxBundleBytes, readTimeoutMs }: Limits) => ({
  has: (async ({ res, name }) => {
    const digest = digestOf(name);
    if (!(await bundlesOf(provider).has(digest))) throw new FaasError('not-found', `no bundle ${digest}`);
    sendEmpty(res, 200);
  }) satisfies Run,

  put: (async ({ req, res, name }) => {
    const bundles = bundlesOf(provider);
    const digest = digestOf(name);
    checkDeclaredLength(req, maxBundleBytes);
    await bundles.put(digest, incoming(req, readTimeoutMs));
    sendEmpty(res, 201);
  }) satisfies Run,
});

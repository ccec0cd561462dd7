// HEAD and PUT /system/bundles/{sha256}: how a built function reaches a gateway that runs bundles.
import type { Bundles, Provider } from '../../provider/provider.ts';
import { isDigest } from '../../provider/types/bundle.ts';
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

export const bundleHandlers = (provider: Provider, maxBundleBytes: number) => ({
  has: (async ({ res, name }) => {
    const digest = digestOf(name);
    if (!(await bundlesOf(provider).has(digest))) throw new FaasError('not-found', `no bundle ${digest}`);
    sendEmpty(res, 200);
  }) satisfies Run,

  put: (async ({ req, res, name }) => {
    const bundles = bundlesOf(provider);
    const digest = digestOf(name);
    checkDeclaredLength(req, maxBundleBytes);
    // Left open when the provider stops reading: the client still has to get the answer that says why.
    await bundles.put(digest, req.iterator({ destroyOnReturn: false }));
    sendEmpty(res, 201);
  }) satisfies Run,
});

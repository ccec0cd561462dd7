// The functions that the conformance suites run: what each does stands in the first line of its file in functions/.
import { readFile } from 'node:fs/promises';
import type { Bundles } from '../../provider/provider.ts';
import { makeHandlerBundle } from '../helpers/bundle.ts';

export const kinds = ['echo', 'env', 'secret', 'version1', 'version2', 'crash', 'exit', 'slow', 'log'] as const;
export type Kind = (typeof kinds)[number];

/** Uploads a function of that kind; resolves to the image name to deploy. */
export const putKind = async (bundles: Bundles, kind: Kind): Promise<string> => {
  const source = await readFile(new URL(`functions/${kind}.js`, import.meta.url), 'utf8');
  const { digest, bytes, image } = await makeHandlerBundle(kind, source, { FROM_BUNDLE: 'bundle', OVERRIDDEN: 'bundle' });
  if (!(await bundles.has(digest))) {
    await bundles.put(
      digest,
      (async function* () {
        yield bytes;
      })(),
    );
  }
  return image;
};

// Bundles made in memory, for tests that need a function and not the builder.
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { type BundleConfig, bundleConfigFile, formatBundleImage } from '../../provider/types/bundle.ts';

export type TestBundle = { readonly digest: string; readonly bytes: Buffer; readonly image: string };

const epoch = new Date(0);

/** A tar with the configuration first and then the files, as `sluice build` would make it. */
export const makeBundle = async (
  name: string,
  config: Omit<BundleConfig, 'version' | 'language'>,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<TestBundle> => {
  const tar = pack();
  const full: BundleConfig = { version: 1, language: 'test', ...config };
  tar.entry({ name: bundleConfigFile, mtime: epoch, mode: 0o644 }, JSON.stringify(full));
  for (const path of Object.keys(files).sort()) tar.entry({ name: path, mtime: epoch, mode: 0o644 }, files[path] ?? '');
  tar.finalize();
  const bytes = await buffer(tar);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { digest, bytes, image: formatBundleImage({ name: `${name}:test`, digest }) };
};

/** A function of one web-standard handler: the text of a module that exports `handler(request)`. */
export const makeHandlerBundle = (
  name: string,
  source: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestBundle> =>
  makeBundle(
    name,
    { mode: 'inproc', handler: 'handler.mjs', environment: { handler_style: 'web', ...environment } },
    { 'handler.mjs': source },
  );

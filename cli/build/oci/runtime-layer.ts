// The layer that makes any glibc image run functions: Node.js, the watchdog, and a command that starts them.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { FaasError } from '../../../provider/types/errors.ts';
import type { Layer, LayerEntry } from './layer.ts';
import type { LayerCache } from './layer-cache.ts';
import { findLibraries } from './libraries.ts';

export const runtimeDir = 'opt/sluice';
export const launcher = '/usr/bin/fwatchdog';

/** On an image that has the layer: what is in it. */
export const runtimeLabel = 'sluice.dev/runtime';

export type Runtime = {
  readonly layer: Layer;
  readonly label: string;
  /** What the image's environment needs for it. */
  readonly environment: Readonly<Record<string, string>>;
};

export type RuntimeOptions = {
  /** Node.js of the image's platform. */
  readonly nodePath: string;
  readonly watchdogPath: string;
  /** True when Node.js is of this machine's platform: then what it needs and few images have comes with it. */
  readonly isHost: boolean;
  readonly cache: LayerCache;
};

/** Node.js needs it, and slim images do not have it. Its interface has been the same for ten years, so it disturbs nobody. */
const scarceLibrary = 'libatomic.so.1';

// Why no shell: a base may have none. Node.js reads a file without an extension as CommonJS.
const launcherText = `#!/${runtimeDir}/bin/node\nrequire('/${runtimeDir}/watchdog.cjs');\n`;

const sizeOf = async (file: string, what: string): Promise<number> => {
  const found = await stat(file).catch((error: Error) => {
    throw new FaasError('not-found', `${file}: expected ${what}: ${error.message}`, { cause: error });
  });
  return found.size;
};

/** Directories are made only where they are our own: a base may have its /usr/bin as a link. */
const runtimeEntries = async (options: Omit<RuntimeOptions, 'cache'>): Promise<LayerEntry[]> => {
  const { nodePath, watchdogPath, isHost } = options;
  const file = async (path: string, source: string, mode: number, what: string): Promise<LayerEntry> => ({
    kind: 'file',
    path,
    mode,
    source: { file: source, bytes: await sizeOf(source, what) },
  });
  const node = await file(`${runtimeDir}/bin/node`, nodePath, 0o755, 'Node.js');
  const library = isHost ? (await findLibraries([nodePath])).files.get(scarceLibrary) : undefined;
  const extra = library === undefined ? [] : [await file(`${runtimeDir}/lib/${scarceLibrary}`, library, 0o644, 'a library')];
  return [
    { kind: 'directory', path: runtimeDir },
    { kind: 'directory', path: `${runtimeDir}/bin` },
    { kind: 'directory', path: `${runtimeDir}/lib` },
    node,
    await file(`${runtimeDir}/watchdog.cjs`, watchdogPath, 0o644, 'the built watchdog (npm run build makes it)'),
    ...extra,
    { kind: 'file', path: launcher.slice(1), mode: 0o755, source: Buffer.from(launcherText) },
  ];
};

/** @throws not-found when Node.js or the built watchdog is not there */
export const makeRuntime = async (options: RuntimeOptions): Promise<Runtime> => {
  const entries = await runtimeEntries(options);
  const watchdog = createHash('sha256')
    .update(await readFile(options.watchdogPath))
    .digest('hex')
    .slice(0, 12);
  const hasLibrary = entries.some((entry) => entry.path.endsWith(`/${scarceLibrary}`));
  return {
    layer: await options.cache.make({ entries, withParents: false, createdBy: 'sluice runtime: Node.js and watchdog' }),
    label: `watchdog-${watchdog}`,
    environment: hasLibrary ? { LD_LIBRARY_PATH: `/${runtimeDir}/lib` } : {},
  };
};

// A base image made from this machine's own programs, for where nothing can be pulled: an interpreter, the libraries it
// needs, the few files that programs expect, and the runtime layer. Nothing else, not even a shell.
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { FaasError } from '../../../provider/types/errors.ts';
import {
  type Base,
  type BuiltManifest,
  composeImage,
  composeManifest,
  createdAt,
  emptyBase,
  type ImageSettings,
} from './compose.ts';
import type { LayerEntry } from './layer.ts';
import { createLayerCache, type LayerCache } from './layer-cache.ts';
import { writeLayout } from './layout.ts';
import { findLibraries } from './libraries.ts';
import { hostPlatform, parseImageConfig } from './media-types.ts';
import { pythonFiles } from './python-files.ts';
import { makeRuntime, runtimeDir, runtimeLabel } from './runtime-layer.ts';

const scratchKinds = ['node', 'python3', 'bash'] as const;
export type ScratchKind = (typeof scratchKinds)[number];

export type ScratchOptions = {
  readonly kind: ScratchKind;
  /** dist/watchdog.cjs of this package. */
  readonly watchdogPath: string;
  /** Keeps compressed layers between builds. */
  readonly cache: LayerCache;
  /** The Node.js that runs this when absent. */
  readonly nodePath?: string | undefined;
  /** Where programs are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

export type ScratchBase = { readonly dir: string; readonly digest: string };

export type ScratchImage = { readonly manifest: BuiltManifest; readonly base: Base };

/** Loaded by name at run time, where a system still has them apart from libc. */
const lateLibraries = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'];

const certificates = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem'];

const text = (path: string, content: string): LayerEntry => ({ kind: 'file', path, mode: 0o644, source: Buffer.from(content) });

const common: readonly LayerEntry[] = [
  text('etc/passwd', 'root:x:0:0:root:/root:/sbin/nologin\napp:x:1000:1000:app:/home/app:/sbin/nologin\n'),
  text('etc/group', 'root:x:0:\napp:x:1000:\n'),
  text('etc/nsswitch.conf', 'hosts: files dns\n'),
  { kind: 'directory', path: 'root', mode: 0o700 },
  { kind: 'directory', path: 'home/app' },
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
  { kind: 'directory', path: 'var/tmp', mode: 0o1777 },
];

const fileEntry = async (path: string, source: string, mode: number): Promise<LayerEntry> => {
  const file = await realpath(source);
  return { kind: 'file', path: path.replace(/^\//, ''), mode, source: { file, bytes: (await stat(file)).size } };
};

const firstFile = async (candidates: readonly string[]): Promise<string | undefined> => {
  for (const file of candidates) if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  return undefined;
};

const onPath = (name: string, env: ScratchOptions['env']): Promise<string | undefined> =>
  firstFile((env.PATH || '/usr/bin:/bin').split(':').map((dir) => join(dir, name)));

const shellTools = ['bash', 'cut', 'date', 'env', 'grep', 'head', 'ls', 'sed', 'sleep', 'sort', 'tail', 'tr', 'wc'];

/** `cat` is what OpenFaaS's health checks of the lock file run. */
const programEntries = async (kind: ScratchKind, env: ScratchOptions['env']): Promise<LayerEntry[]> => {
  const entries: LayerEntry[] = [];
  for (const name of ['cat', ...(kind === 'bash' ? shellTools : [])]) {
    const file = await onPath(name, env);
    if (file !== undefined) entries.push(await fileEntry(`bin/${name}`, file, 0o755));
    else if (name === 'bash') throw new FaasError('not-found', 'bash: expected to find this program on PATH');
  }
  if (kind === 'bash') {
    entries.push({ kind: 'symlink', path: 'bin/sh', target: 'bash' });
    entries.push({ kind: 'symlink', path: 'usr/bin/env', target: '../../bin/env' });
  }
  return entries;
};

/** The loader at its own path, and every library beside libc, where the loader looks without being told. */
const libraryEntries = async (programs: readonly string[]): Promise<LayerEntry[]> => {
  const { loader, files, missing } = await findLibraries(programs);
  const [[name, needer] = []] = missing;
  if (name !== undefined) throw new FaasError('not-found', `${name}: expected to find this library, which ${needer} needs`);
  const libc = files.get('libc.so.6');
  if (loader === undefined || libc === undefined) {
    throw new FaasError('not-implemented', 'a base from scratch is made of programs for glibc, and this machine has others');
  }
  const entries = [await fileEntry(loader, loader, 0o755)];
  const wanted = new Map(files);
  for (const late of lateLibraries) {
    const file = await firstFile([join(dirname(libc), late)]);
    if (file !== undefined) wanted.set(late, file);
  }
  for (const [soname, file] of wanted) entries.push(await fileEntry(join(dirname(libc), basename(soname)), file, 0o755));
  return entries;
};

const certificateEntries = async (): Promise<LayerEntry[]> => {
  const file = await firstFile(certificates);
  return file === undefined ? [] : [await fileEntry('etc/ssl/certs/ca-certificates.crt', file, 0o644)];
};

const isProgram = (entry: LayerEntry): entry is LayerEntry & { source: { file: string } } =>
  entry.kind === 'file' && 'file' in entry.source && (entry.mode === 0o755 || /\.so(\.\d+)*$/.test(entry.path));

/**
 * Makes the base, for this machine's own platform.
 * @throws not-found for a missing interpreter or library; not-implemented on a machine without glibc
 */
export const makeScratchImage = async (options: ScratchOptions): Promise<ScratchImage> => {
  const { kind, env, cache } = options;
  const nodePath = options.nodePath ?? process.execPath;
  const files = [...(kind === 'python3' ? await pythonFiles(env) : []), ...(await programEntries(kind, env))];
  const programs = files.filter(isProgram).map((entry) => entry.source.file);
  const libraries = await libraryEntries([nodePath, ...programs]);
  const entries = [...common, ...(await certificateEntries()), ...libraries, ...files];
  const system = await cache.make({ entries, withParents: true, createdBy: `sluice base from scratch: ${kind}` });
  const runtime = await makeRuntime({ nodePath, watchdogPath: options.watchdogPath, isHost: true, cache });
  const settings: ImageSettings = {
    environment: runtime.environment,
    path: [`/${runtimeDir}/bin`],
    entrypoint: [],
    labels: { [runtimeLabel]: runtime.label },
  };
  const platform = hostPlatform();
  const manifest = composeManifest(emptyBase(platform), [system, runtime.layer], settings, createdAt(env));
  const [config, ...layers] = manifest.blobs;
  const bytes = config === undefined ? Buffer.alloc(0) : await buffer(await config.open());
  const { digest } = manifest.descriptor;
  return { manifest, base: { digest, platform, config: parseImageConfig(`base from scratch: ${kind}`, bytes), layers } };
};

export type LayoutOptions = Omit<ScratchOptions, 'cache'> & {
  /** Becomes an OCI layout directory with one image called `kind`. */
  readonly dir: string;
  /** Where compressed layers are kept between builds. */
  readonly cacheDir: string;
};

/** The same as an OCI layout, for other programs or other machines. @throws as makeScratchImage */
export const buildScratchBase = async ({ dir, cacheDir, ...options }: LayoutOptions): Promise<ScratchBase> => {
  const { manifest } = await makeScratchImage({ ...options, cache: createLayerCache(cacheDir) });
  await writeLayout(dir, composeImage([manifest]), options.kind);
  return { dir, digest: manifest.descriptor.digest };
};

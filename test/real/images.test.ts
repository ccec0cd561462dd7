// Images that are made without a daemon, judged by programs of others: a registry, skopeo and podman.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { walkTree } from '../../cli/build/files.ts';
import { composeImage, composeManifest, emptyBase } from '../../cli/build/oci/compose.ts';
import { createLayerCache } from '../../cli/build/oci/layer-cache.ts';
import { writeLayout } from '../../cli/build/oci/layout.ts';
import { findLibraries } from '../../cli/build/oci/libraries.ts';
import { hostPlatform } from '../../cli/build/oci/media-types.ts';
import { buildScratchBase } from '../../cli/build/oci/scratch-base.ts';
import { amd64, arm64, imageOf, layerOf } from '../cli/build/oci/images.ts';
import { packageRoot } from '../cli/run-cli.ts';
import type { Cleanup } from '../helpers/cleanup.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { missing } from './component.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { createPodman } from './podman.ts';

const skip = missing(['docker-registry', 'htpasswd', 'skopeo', 'podman', 'runc', 'python3', 'ldd'], true);
const PATH = process.env.PATH ?? '';
/** Compressing Node.js takes seconds: once for all tests, and kept like any cache. */
const sharedCache = join(tmpdir(), 'sluice-test-layers');
const ada = { user: 'ada', password: 'secret' };

type Env = Readonly<Record<string, string>>;
type Pushed = { readonly name: string; readonly image: string; readonly uploaded: boolean };

type Project = {
  readonly dir: string;
  run(argv: readonly string[], env?: Env): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** `sluice build` and `sluice push`, by name. */
  ship(argv?: readonly string[], env?: Env): Promise<Record<string, Pushed>>;
};

/** Functions of the templates that ship with Sluice, one a language, called as their language. */
const createProject = async (t: Cleanup, prefix: string, langs: readonly string[]): Promise<Project> => {
  const dir = await makeTmpDir(t);
  for (const lang of langs) await cp(join(packageRoot, 'templates', lang, 'function'), join(dir, lang), { recursive: true });
  const lines = langs.map((lang) => `  ${lang}: {lang: ${lang}, handler: ./${lang}, image: "${prefix}/${lang}:1"}\n`);
  await writeFile(join(dir, 'stack.yaml'), `provider: {name: openfaas}\nfunctions:\n${lines.join('')}`);
  const run: Project['run'] = (argv, env = {}) =>
    runProgram(t, process.execPath, [join(packageRoot, 'bin', 'sluice.js'), ...argv], {
      cwd: dir,
      env: { PATH, HOME: dir, XDG_CACHE_HOME: sharedCache, ...env },
    });
  return {
    dir,
    run,
    ship: async (argv = ['--base-image', 'scratch'], env = {}) => {
      const built = await run(['build'], env);
      assert.equal(built.code, 0, built.stderr);
      const pushed = await run(['push', '--packaging', 'image', '--output', 'json', ...argv], env);
      assert.equal(pushed.code, 0, pushed.stderr);
      return Object.fromEntries((JSON.parse(pushed.stdout) as Pushed[]).map((each) => [each.name, each]));
    },
  };
};

const skopeo = async (t: Cleanup, args: readonly string[]) => {
  const { code, stdout, stderr } = await runProgram(t, 'skopeo', args, { env: { PATH, HOME: await makeTmpDir(t) } });
  assert.equal(code, 0, stderr);
  return stdout;
};

type Inspected = {
  readonly Digest: string;
  readonly Created: string;
  readonly Architecture: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Env: readonly string[];
  readonly Layers: readonly string[];
};

const inspect = async (t: Cleanup, image: string, more: readonly string[] = []): Promise<Inspected> =>
  JSON.parse(await skopeo(t, ['inspect', '--tls-verify=false', ...more, `docker://${image}`])) as Inspected;

const byTag = (image: string): string => image.split('@')[0] ?? '';
const byDigest = (image: string): string => image.replace(/:[^:@/]+@/, '@');
const digestOf = (image: string): string => image.split('@')[1] ?? '';

test('functions of node, python and bash become images that skopeo reads and podman runs', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const project = await createProject(t, `${registry.name}/team`, ['node', 'python3', 'bash']);
  const shipped = await project.ship();
  const podman = await createPodman(t, registry.name);
  for (const lang of ['node', 'python3', 'bash']) {
    const { image } = shipped[lang]!;
    const seen = await inspect(t, byTag(image));
    assert.equal(seen.Digest, digestOf(image), lang);
    assert.equal(seen.Created, '1970-01-01T00:00:00Z');
    assert.equal(seen.Architecture, hostPlatform().architecture);
    assert.equal(seen.Labels['sluice.dev/language'], lang);
    const url = await podman.serve(byDigest(image));
    const response = await fetch(url, { method: 'POST', body: 'Ada' });
    assert.equal(response.status, 200, lang);
    assert.match(await response.text(), /Ada/, lang);
  }
  const again = await project.ship();
  assert.deepEqual(
    Object.values(again),
    Object.values(shipped).map((each) => ({ ...each, uploaded: false })),
  );
});

test('a registry with a password takes an image from who has logged in, and tells others what to do', { skip }, async (t) => {
  const registry = await startDockerRegistry(t, ada);
  const project = await createProject(t, `${registry.name}/team`, ['node']);
  assert.equal((await project.run(['build'])).code, 0);
  const argv = ['push', '--packaging', 'image', '--base-image', 'scratch'];
  const stranger = await project.run(argv);
  assert.equal(stranger.code, 1);
  assert.match(
    stranger.stderr,
    /status 401; .*no login for localhost:\d+ in docker's config\.json: log in with `docker login localhost/,
  );
  const auth = Buffer.from(`${ada.user}:${ada.password}`).toString('base64');
  await mkdir(join(project.dir, 'docker'));
  await writeFile(join(project.dir, 'docker', 'config.json'), JSON.stringify({ auths: { [registry.name]: { auth } } }));
  const known = await project.run(argv, { DOCKER_CONFIG: join(project.dir, 'docker') });
  assert.equal(known.code, 0, known.stderr);
  const image = known.stdout.trim();
  const seen = await inspect(t, byTag(image), ['--creds', `${ada.user}:${ada.password}`]);
  assert.equal(seen.Digest, digestOf(image));
});

/** As if the sources had been checked out on another day. */
const touchAll = async (dir: string, time: Date): Promise<void> => {
  for (const { path, kind } of await walkTree(dir)) if (kind === 'file') await utimes(join(dir, path), time, time);
};

/** Makes a program of Node.js believe that it is eight days later. */
const laterClock = `
const days = 8 * 24 * 3_600_000;
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...parts) { super(...(parts.length === 0 ? [Real.now() + days] : parts)); }
  static now() { return Real.now() + days; }
};
`;

test('an image made elsewhere, on another day and with nothing kept, has the same digest', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const first = await (await createProject(t, `${registry.name}/one`, ['node', 'python3'])).ship();
  const other = await createProject(t, `${registry.name}/two`, ['node', 'python3']);
  await touchAll(other.dir, new Date('2020-02-02T02:02:02Z'));
  const clock = join(other.dir, 'clock.cjs');
  await writeFile(clock, laterClock);
  const env = { XDG_CACHE_HOME: join(other.dir, 'cache'), TZ: 'Asia/Tokyo', NODE_OPTIONS: `--require ${clock}` };
  const second = await other.ship(['--base-image', 'scratch'], env);
  for (const lang of ['node', 'python3']) assert.equal(digestOf(second[lang]!.image), digestOf(first[lang]!.image), lang);
});

test('a base in the registry is built on without fetching its layers: they are mounted', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const dir = await makeTmpDir(t);
  const cacheDir = join(sharedCache, 'sluice', 'layers');
  const watchdogPath = join(packageRoot, 'dist', 'watchdog.cjs');
  await buildScratchBase({ kind: 'node', dir, watchdogPath, cacheDir, env: process.env });
  const base = `${registry.name}/bases/node:1`;
  await skopeo(t, ['copy', '--insecure-policy', '--dest-tls-verify=false', `oci:${dir}:node`, `docker://${base}`]);
  const { Layers } = await inspect(t, base);
  const project = await createProject(t, `${registry.name}/team`, ['node']);
  const { node } = await project.ship(['--base-image', base]);
  const seen = await inspect(t, byTag(node!.image));
  assert.deepEqual(seen.Layers.slice(0, 2), Layers);
  const requests = registry.requests();
  for (const layer of Layers) {
    const mounts = requests.filter(
      (each) => each.includes('/team/node/') && each.includes('mount=') && each.includes(layer.slice(7)),
    );
    assert.deepEqual(
      mounts.map((each) => each.slice(-4)),
      [' 201'],
      requests.join('\n'),
    );
    assert.ok(!requests.some((each) => each.startsWith(`GET /v2/bases/node/blobs/${layer}`)), 'no layer of the base is fetched');
  }
});

test('the runtime makes a foreign base run functions that has neither Node.js nor libatomic', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const dir = await makeTmpDir(t);
  const { loader, files } = await findLibraries([process.execPath]);
  const wanted = [
    [loader!, loader!] as const,
    ...[...files].filter(([name]) => !name.startsWith('libatomic')).map(([, file]) => [file, file] as const),
  ];
  assert.ok(wanted.length < files.size + 1, 'this Node.js needs libatomic');
  const entries = await Promise.all(
    wanted.map(
      async ([path, file]) =>
        ({ kind: 'file', path: path.slice(1), mode: 0o755, source: { file, bytes: (await stat(file)).size } }) as const,
    ),
  );
  const layer = await createLayerCache(join(dir, 'cache')).make({ entries, withParents: true, createdBy: 'test' });
  const settings = { environment: {}, entrypoint: [], labels: {} };
  const manifest = composeManifest(emptyBase(hostPlatform()), [layer], settings, '1970-01-01T00:00:00Z');
  await writeLayout(join(dir, 'base'), composeImage([manifest]), 'glibc');
  const project = await createProject(t, `${registry.name}/team`, ['node']);
  const { node } = await project.ship(['--base-image', `oci:${join(dir, 'base')}`]);
  const podman = await createPodman(t, registry.name);
  const url = await podman.serve(byDigest(node!.image));
  assert.match(await (await fetch(url, { method: 'POST', body: 'Ada' })).text(), /Ada/);
});

test('several platforms come under one index, which skopeo copies whole', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const project = await createProject(t, `${registry.name}/team`, ['node']);
  await writeLayout(join(project.dir, 'base'), imageOf([layerOf('system')], [amd64, arm64]), 'v1');
  const node = join(project.dir, 'node-binary');
  await writeFile(node, 'stands for a program');
  const env = { SLUICE_NODE_LINUX_AMD64: node, SLUICE_NODE_LINUX_ARM64: node };
  const shipped = await project.ship(['--base-image', 'oci:base', '--platforms', 'linux/amd64,linux/arm64'], env);
  const { image } = shipped.node!;
  const raw = JSON.parse(await skopeo(t, ['inspect', '--raw', '--tls-verify=false', `docker://${byTag(image)}`])) as {
    manifests: { platform: { architecture: string } }[];
  };
  assert.deepEqual(
    raw.manifests.map((each) => each.platform.architecture),
    ['amd64', 'arm64'],
  );
  const copy = join(project.dir, 'copy');
  await skopeo(t, [
    'copy',
    '--insecure-policy',
    '--all',
    '--src-tls-verify=false',
    `docker://${byDigest(image)}`,
    `oci:${copy}:v1`,
  ]);
  const index = JSON.parse(await readFile(join(copy, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  assert.equal(index.manifests[0]?.digest, digestOf(image));
});

test('a Dockerfile is built and pushed with podman where docker has no daemon', { skip }, async (t) => {
  const registry = await startDockerRegistry(t);
  const podman = await createPodman(t, registry.name);
  const dir = await makeTmpDir(t);
  await mkdir(join(dir, 'f'));
  await writeFile(join(dir, 'f', 'Dockerfile'), 'FROM scratch\nARG TEXT\nENV TEXT=$TEXT\nCOPY hello /hello\n');
  await writeFile(join(dir, 'f', 'hello'), 'hello\n');
  const image = `${registry.name}/team/f:1`;
  await writeFile(
    join(dir, 'stack.yaml'),
    `provider: {name: openfaas}\nfunctions:\n  f: {lang: dockerfile, handler: ./f, image: "${image}"}\n`,
  );
  const env = { ...podman.env, SLUICE_CONTAINER_TOOL: 'podman' };
  const sluice = (argv: readonly string[]) =>
    runProgram(t, process.execPath, [join(packageRoot, 'bin', 'sluice.js'), ...argv], { cwd: dir, env });
  const built = await sluice(['build', '--build-arg', 'TEXT=said']);
  assert.equal(built.code, 0, built.stderr);
  assert.equal(built.stdout, `${image}\n`);
  const pushed = await sluice(['push', '--packaging', 'image']);
  assert.equal(pushed.code, 0, pushed.stderr);
  const seen = await inspect(t, image);
  assert.equal(pushed.stdout, `${image}@${seen.Digest}\n`);
  assert.ok(seen.Env.includes('TEXT=said'));
});

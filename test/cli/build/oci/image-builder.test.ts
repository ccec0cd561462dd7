import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { BuiltImage } from '../../../../cli/build/oci/compose.ts';
import { writeLayerTar } from '../../../../cli/build/oci/layer.ts';
import { writeLayout } from '../../../../cli/build/oci/layout.ts';
import { findNode } from '../../../../cli/build/oci/node-binary.ts';
import { parseReference } from '../../../../cli/build/oci/reference.ts';
import { runtimeLabel } from '../../../../cli/build/oci/runtime-layer.ts';
import { configText } from '../../../../cli/build/pack.ts';
import type { BundleConfig } from '../../../../provider/types/bundle.ts';
import type { Cleanup } from '../../../helpers/cleanup.ts';
import { readTar } from '../project.ts';
import { amd64, arm64, createWorkshop, imageOf, layerOf, type Workshop } from './images.ts';
import { startRegistry } from './registry-server.ts';

const python: BundleConfig = {
  version: 1,
  language: 'python3',
  mode: 'http',
  fprocess: 'python3 index.py',
  environment: { PYTHONPATH: 'python-packages', exec_timeout: '10s', mode: 'ignored' },
};

const digest = 'd'.repeat(64);

const writeBundle = async (dir: string, config: BundleConfig): Promise<string> => {
  const file = join(dir, 'greet.tar');
  await writeLayerTar(file, [
    { kind: 'file', path: 'sluice.json', mode: 0o644, source: Buffer.from(configText(config)) },
    { kind: 'file', path: 'index.py', mode: 0o644, source: Buffer.from('print(1)') },
    { kind: 'symlink', path: 'link.py', target: 'index.py' },
  ]);
  return file;
};

type Setup = Workshop & { readonly build: (more?: { platforms?: (typeof amd64)[]; base?: string }) => Promise<BuiltImage> };

const setUp = async (t: Cleanup, config = python, env: Readonly<Record<string, string>> = {}): Promise<Setup> => {
  const workshop = await createWorkshop(t, env);
  const bundle = await writeBundle(workshop.dir, config);
  await writeLayout(join(workshop.dir, 'base'), imageOf([layerOf('system')], [amd64, arm64]), 'v1');
  return {
    ...workshop,
    build: ({ platforms = [amd64], base = 'oci:base:v1' } = {}) =>
      workshop.builder.build({ name: 'greet', bundle, digest, baseImage: base, platforms, labels: { team: 'a' } }),
  };
};

const configOf = async (image: BuiltImage, index = 0) =>
  JSON.parse((await buffer(await image.manifests[index]!.blobs[0]!.open())).toString()) as {
    architecture: string;
    created: string;
    config: Record<string, unknown> & { Env: string[]; Labels: Record<string, string> };
    rootfs: { diff_ids: string[] };
    history: unknown[];
  };

test('an image is the base, the runtime and the bundle, and runs the watchdog with what sluice.json says', async (t) => {
  const { build } = await setUp(t);
  const image = await build();
  const { config, created, rootfs, history } = await configOf(image);
  assert.deepEqual(config.Env, [
    'PATH=/base/bin:/bin:/opt/sluice/bin',
    'BASE=yes',
    'HOME=/home/app',
    'PYTHONPATH=python-packages',
    'exec_timeout=10s',
    'fprocess=python3 index.py',
    'healthcheck_interval=5s',
    'mode=http',
  ]);
  const { Env: _, Labels, ...rest } = config;
  assert.deepEqual(rest, {
    User: '1000:1000',
    ExposedPorts: { '8080/tcp': {} },
    Entrypoint: ['/usr/bin/fwatchdog'],
    WorkingDir: '/home/app',
  });
  assert.match(Labels[runtimeLabel] ?? '', /^watchdog-[0-9a-f]{12}$/);
  delete Labels[runtimeLabel];
  assert.deepEqual(Labels, { base: '1', 'sluice.dev/bundle': `sha256:${digest}`, 'sluice.dev/language': 'python3', team: 'a' });
  assert.equal(created, '1970-01-01T00:00:00Z');
  assert.equal(rootfs.diff_ids.length, 3);
  assert.equal(history.length, 3);
});

test('the bundle lies under /home/app, Node.js, watchdog and launcher where the entry point looks', async (t) => {
  const { build, dir } = await setUp(t);
  const blobs = (await build()).manifests[0]!.blobs;
  const names = async (index: number) => {
    const file = join(dir, `layer-${index}.tar`);
    await writeFile(file, gunzipSync(await buffer(await blobs[index]!.open())));
    return readTar(file);
  };
  const bundle = await names(3);
  assert.deepEqual(
    bundle.map((each) => each.name.replace(/\/$/, '')),
    ['home/app', 'home/app/index.py', 'home/app/link.py', 'home/app/sluice.json'],
  );
  assert.equal(bundle[2]?.linkname, 'index.py');
  const runtime = await names(2);
  const files = runtime.filter((each) => each.type === 'file').map((each) => [each.name, each.mode]);
  assert.deepEqual(files, [
    ['opt/sluice/bin/node', 0o755],
    ['opt/sluice/watchdog.cjs', 0o644],
    ['usr/bin/fwatchdog', 0o755],
  ]);
  assert.match(runtime.at(-1)!.text, /^#!\/opt\/sluice\/bin\/node\nrequire\('\/opt\/sluice\/watchdog\.cjs'\);\n$/);
});

test('the same input gives the same digest, in another folder and at another time', async (t) => {
  const [one, two] = [await setUp(t), await setUp(t)];
  const first = (await one.build({ platforms: [amd64, arm64] })).root.descriptor.digest;
  assert.equal((await two.build({ platforms: [amd64, arm64] })).root.descriptor.digest, first);
  assert.equal((await one.build({ platforms: [amd64, arm64] })).root.descriptor.digest, first);
  const dated = await setUp(t, python, { SOURCE_DATE_EPOCH: '1700000000' });
  const image = await dated.build();
  assert.equal((await configOf(image)).created, '2023-11-14T22:13:20Z');
});

test('several platforms share the bundle layer under one index', async (t) => {
  const { build } = await setUp(t);
  const image = await build({ platforms: [amd64, arm64] });
  const index = JSON.parse(image.root.bytes.toString()) as { manifests: { platform: unknown; digest: string }[] };
  assert.deepEqual(
    index.manifests.map((each) => each.platform),
    [amd64, arm64],
  );
  assert.deepEqual(
    index.manifests.map((each) => each.digest),
    image.manifests.map((each) => each.descriptor.digest),
  );
  const [one, two] = image.manifests.map((each) => each.blobs.at(-1)?.descriptor.digest);
  assert.equal(one, two);
  assert.equal((await configOf(image, 1)).architecture, 'arm64');
});

test('a base that has a runtime keeps it', async (t) => {
  const { build, dir, builder } = await setUp(t);
  const first = await build();
  await writeLayout(join(dir, 'second'), first, 'v1');
  const bundle = join(dir, 'greet.tar');
  const image = await builder.build({ name: 'greet', bundle, digest, baseImage: './second', platforms: [amd64], labels: {} });
  assert.equal(image.manifests[0]!.blobs.length, first.manifests[0]!.blobs.length + 1);
});

test('native code of another platform, a missing Node.js and a bundle without configuration are errors', async (t) => {
  const native = await setUp(t, { ...python, platform: 'linux-x64' });
  await native.build();
  await assert.rejects(
    native.build({ platforms: [arm64] }),
    /greet: holds native code for linux-x64 and cannot become an image for linux\/arm64\/v8/,
  );
  const absent = await setUp(t, python, { SLUICE_NODE_LINUX_AMD64: '/absent/node' });
  await assert.rejects(absent.build(), /\/absent\/node: expected Node\.js/);
  const other = await setUp(t);
  await writeFile(join(other.dir, 'greet.tar'), Buffer.alloc(1024));
  await assert.rejects(other.build(), /greet\.tar: expected a built function with sluice\.json/);
  await assert.rejects(other.build({ platforms: [amd64, amd64] }), /expected a built function/);
});

test('a platform without a Node.js says where to name one', async () => {
  await assert.rejects(
    findNode({ os: 'linux', architecture: 's390x' }, {}),
    /platform linux\/s390x: expected a Node\.js for it: name its file in SLUICE_NODE_LINUX_S390X/,
  );
});

test('base layers of the same registry are mounted, shared layers of a second function too', async (t) => {
  const server = await startRegistry(t);
  const { builder, dir } = await setUp(t);
  const target = (name: string) => parseReference(`${server.name}/team/${name}:1`);
  await builder.push(imageOf([layerOf('system')]), { ...target('x'), repository: 'base' });
  const bundle = join(dir, 'greet.tar');
  const request = { name: 'greet', bundle, digest, baseImage: `${server.name}/base:1`, platforms: [amd64], labels: {} };
  const image = await builder.build(request);
  const manifest = JSON.parse(image.root.bytes.toString()) as { annotations: Record<string, string> };
  assert.equal(manifest.annotations['org.opencontainers.image.base.name'], `${server.name}/base:1`);
  assert.deepEqual((await builder.push(image, target('greet'))).counts, { there: 0, mounted: 1, sent: 3 });
  assert.deepEqual((await builder.push(image, target('again'))).counts, { there: 0, mounted: 4, sent: 0 });
  assert.equal(await builder.digestOf(target('again')), image.root.descriptor.digest);
  assert.equal(await builder.digestOf({ ...target('again'), tag: '2' }), undefined);
});

test('base layers go from one registry to another', async (t) => {
  const [from, to] = [await startRegistry(t), await startRegistry(t)];
  const { builder, dir } = await setUp(t);
  await builder.push(imageOf([layerOf('system')]), parseReference(`${from.name}/base:1`));
  const request = {
    name: 'greet',
    bundle: join(dir, 'greet.tar'),
    digest,
    baseImage: `${from.name}/base:1`,
    platforms: [amd64],
    labels: {},
  };
  const image = await builder.build(request);
  assert.deepEqual((await builder.push(image, parseReference(`${to.name}/greet:1`))).counts, { there: 0, mounted: 0, sent: 4 });
  const { digest: system } = layerOf('system').blob.descriptor;
  assert.deepEqual(to.blobs.get(`greet@${system}`), await buffer(await layerOf('system').blob.open()));
  assert.ok((await readFile(join(dir, 'greet.layer.tar.gz'))).length > 0);
});

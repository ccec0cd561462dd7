import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeLayout } from '../../../cli/build/oci/layout.ts';
import { hostPlatform } from '../../../cli/build/oci/media-types.ts';
import type { Cleanup } from '../../helpers/cleanup.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { imageOf, layerOf } from '../build/oci/images.ts';
import { startRegistry } from '../build/oci/registry-server.ts';
import { accepting } from '../deploy-gateway.ts';
import { type Ran, runCli, type Seen, startGateway } from '../run-cli.ts';

const info = {
  provider: { provider: 'sluice', capabilities: { packaging: 'image', limits: 'cluster', isolation: 'pods' } },
  version: {},
  arch: 'amd64',
};

const imageGateway = (seen: Seen) =>
  accepting((one) => (one.path === '/system/info' ? { json: info } : undefined))(seen) ??
  (seen.path === '/system/namespaces' ? { json: ['openfaas-fn'] } : undefined);

type Project = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  run(argv: readonly string[]): Promise<Ran>;
};

/** A function `f` of lang node whose image is called so, and a base of one layer with a runtime, so that none is made. */
const project = async (t: Cleanup, image: string, more: Readonly<Record<string, string>> = {}): Promise<Project> => {
  const cwd = await makeTmpDir(t);
  await mkdir(join(cwd, 'f'));
  await writeFile(join(cwd, 'f', 'handler.js'), 'module.exports = async () => "hi";\n');
  const stack = `provider: {name: openfaas}\nfunctions:\n  f: {lang: ${more.lang ?? 'node'}, handler: ./f, image: "${image}"}\n`;
  await writeFile(join(cwd, 'stack.yaml'), stack);
  await writeLayout(join(cwd, 'base'), imageOf([layerOf('system')], [hostPlatform()]), 'v1');
  const node = join(cwd, 'node');
  await writeFile(node, 'a program');
  const platform = hostPlatform().architecture.toUpperCase();
  const env = { PATH: process.env.PATH ?? '', SLUICE_BASE_IMAGE: 'oci:base', [`SLUICE_NODE_LINUX_${platform}`]: node, ...more };
  return { cwd, env, run: (argv) => runCli(t, argv, { cwd, env, home: cwd }) };
};

const deployedImage = (seen: readonly Seen[]): string => {
  const body = seen.find((each) => each.path === '/system/functions' && each.method !== 'GET')?.body ?? '{}';
  return (JSON.parse(body) as { image: string }).image;
};

test('up pushes an image where the gateway runs images, and deploys it by its digest', async (t) => {
  const registry = await startRegistry(t);
  const gateway = await startGateway(t, imageGateway);
  const { run } = await project(t, `${registry.name}/team/f:1`);
  const { code, stderr } = await run(['up', '-g', gateway.url]);
  assert.equal(code, 0, stderr);
  const image = deployedImage(gateway.seen);
  const digest = image.split('@')[1] ?? '';
  assert.equal(image, `${registry.name}/team/f:1@${digest}`);
  assert.ok(registry.manifests.has(`team/f@${digest}`));
  assert.ok(registry.manifests.has('team/f:1'));
  assert.ok(!gateway.calls().some((call) => call.includes('/system/bundles')));
});

test('push sends what build has made; a second push sends nothing', async (t) => {
  const registry = await startRegistry(t);
  const { run } = await project(t, `${registry.name}/team/f:1`);
  assert.match((await run(['push', '--packaging', 'image'])).stderr, /there is no build\/f\.tar; build it with `sluice build`/);
  assert.equal((await run(['build'])).code, 0);
  const first = await run(['push', '--packaging', 'image', '--output', 'json']);
  assert.equal(first.code, 0, first.stderr);
  const [pushed] = JSON.parse(first.stdout) as { name: string; image: string; uploaded: boolean }[];
  assert.equal(pushed?.uploaded, true);
  assert.match(pushed?.image ?? '', /\/team\/f:1@sha256:[0-9a-f]{64}$/);
  const second = await run(['push', '--packaging', 'image', '--output', 'json']);
  assert.deepEqual(JSON.parse(second.stdout), [{ ...pushed, uploaded: false }]);
});

test('push asks the gateway whether it runs images', async (t) => {
  const registry = await startRegistry(t);
  const gateway = await startGateway(t, imageGateway);
  const { run } = await project(t, `${registry.name}/team/f:1`);
  await run(['build']);
  const { code, stderr } = await run(['push', '-g', gateway.url]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(gateway.calls(), ['GET /system/info']);
  assert.ok(registry.manifests.has('team/f:1'));
});

test('a bare image name needs OPENFAAS_PREFIX, and is refused before anything is sent', async (t) => {
  const registry = await startRegistry(t);
  const bare = await project(t, 'f:1');
  await bare.run(['build']);
  const refused = await bare.run(['push', '--packaging', 'image']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /image: expected a name with its registry or user, such as .*set OPENFAAS_PREFIX/);
  const prefixed = await project(t, 'f:1', { OPENFAAS_PREFIX: `${registry.name}/team` });
  await prefixed.run(['build']);
  assert.equal((await prefixed.run(['push', '--packaging', 'image'])).code, 0);
  assert.ok(registry.manifests.has('team/f:1'));
});

test('build --oci writes the image as a layout without a registry', async (t) => {
  const { cwd, run } = await project(t, 'f:1');
  const { code, stdout, stderr } = await run(['build', '--oci', 'images']);
  assert.equal(code, 0, stderr);
  const index = JSON.parse(await readFile(join(cwd, 'images', 'f', 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  assert.equal(stdout, `f:1@${index.manifests[0]?.digest}\n`);
  assert.equal((await readdir(join(cwd, 'images', 'f', 'blobs', 'sha256'))).length, 5);
});

test('a malformed platform stops before anything is built', async (t) => {
  const { run } = await project(t, 'f:1');
  const { code, stderr } = await run(['build', '--oci', 'images', '--platforms', 'linux/amd64,arm']);
  assert.equal(code, 1);
  assert.match(stderr, /platform: expected linux\/<architecture> such as linux\/arm64, got "arm"/);
});

/** A docker that writes down how it is called. */
const fakeDocker = async (t: Cleanup): Promise<{ PATH: string; calls: () => Promise<string[]> }> => {
  const dir = await makeTmpDir(t);
  await writeFile(join(dir, 'docker'), `#!/bin/sh\necho "$*" >> ${dir}/calls\n`);
  await chmod(join(dir, 'docker'), 0o755);
  return { PATH: `${dir}:/usr/bin:/bin`, calls: async () => (await readFile(join(dir, 'calls'), 'utf8')).trim().split('\n') };
};

test('lang dockerfile is built and pushed by the tool that is there, from the handler folder alone', async (t) => {
  const registry = await startRegistry(t);
  const gateway = await startGateway(t, imageGateway);
  const docker = await fakeDocker(t);
  const { cwd, run } = await project(t, `${registry.name}/team/f:1`, { PATH: docker.PATH, lang: 'dockerfile' });
  const without = await run(['build']);
  assert.match(without.stderr, /\.\/f: expected a Dockerfile, there is none/);
  await writeFile(join(cwd, 'f', 'Dockerfile'), 'FROM scratch\n');
  const { code, stderr } = await run(['up', '-g', gateway.url, '-b', 'A=1']);
  assert.equal(code, 0, stderr);
  const image = `${registry.name}/team/f:1`;
  const calls = (await docker.calls()).filter((call) => !call.startsWith('version'));
  assert.deepEqual(calls, [`build --tag ${image} --build-arg A=1 ${join(cwd, 'build', 'f')}`, `push ${image}`]);
  assert.deepEqual((await readdir(join(cwd, 'build', 'f'))).sort(), ['Dockerfile', 'handler.js']);
  assert.equal(deployedImage(gateway.seen), image, 'the pretended push left no digest in the registry');
});

test('a template that only has a Dockerfile is built by the tool where images are wanted', async (t) => {
  const docker = await fakeDocker(t);
  const { cwd, run } = await project(t, 'reg.example/team/f:1', { PATH: docker.PATH, lang: 'mine' });
  await mkdir(join(cwd, 'template', 'mine', 'function'), { recursive: true });
  await writeFile(
    join(cwd, 'template', 'mine', 'template.yml'),
    'language: mine\nbuild_options: [{name: dev, packages: [make, git]}]\n',
  );
  await writeFile(join(cwd, 'template', 'mine', 'Dockerfile'), 'FROM scratch\n');
  const { code, stdout, stderr } = await run(['build', '--packaging', 'image', '-o', 'dev']);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'reg.example/team/f:1\n');
  const [, built] = await docker.calls();
  assert.equal(built, `build --tag reg.example/team/f:1 --build-arg ADDITIONAL_PACKAGE=make git ${join(cwd, 'build', 'f')}`);
});

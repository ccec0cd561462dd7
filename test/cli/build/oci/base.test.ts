import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { walkTree } from '../../../../cli/build/files.ts';
import { type LayerEntry, writeLayerTar } from '../../../../cli/build/oci/layer.ts';
import { openLayout, writeLayout } from '../../../../cli/build/oci/layout.ts';
import { pushImage } from '../../../../cli/build/oci/push-image.ts';
import { parseReference } from '../../../../cli/build/oci/reference.ts';
import { registrySource } from '../../../../cli/build/oci/repository.ts';
import { readBase } from '../../../../cli/build/oci/source.ts';
import { makeTmpDir } from '../../../helpers/tmp.ts';
import { amd64, arm64, connectTo, imageOf, layerOf } from './images.ts';
import { startRegistry } from './registry-server.ts';

const layers = [layerOf('system'), layerOf('tools')];

/** A layout directory as one tar, as `skopeo copy … oci-archive:` makes it. */
const archiveOf = async (dir: string, file: string): Promise<void> => {
  const entries: LayerEntry[] = [];
  for (const { kind, path } of await walkTree(dir)) {
    if (kind === 'file') entries.push({ kind, path, mode: 0o644, source: await readFile(join(dir, path)) });
  }
  await writeLayerTar(file, entries);
};

test('a base is read from a layout directory and from a tar of it', async (t) => {
  const dir = await makeTmpDir(t);
  const image = imageOf(layers, [amd64, arm64]);
  await writeLayout(join(dir, 'layout'), image, 'v1');
  await archiveOf(join(dir, 'layout'), join(dir, 'layout.tar'));
  for (const path of ['layout', 'layout.tar']) {
    const base = await readBase(await openLayout(join(dir, path), 'v1'), arm64);
    assert.equal(base.digest, image.root.descriptor.digest);
    assert.equal(base.name, undefined, 'a path of this machine is not told');
    assert.equal(base.config.architecture, 'arm64');
    assert.deepEqual(
      base.layers.map((each) => each.descriptor),
      layers.map((each) => each.blob.descriptor),
    );
    assert.deepEqual(await buffer(await base.layers[1]!.open()), await buffer(await layers[1]!.blob.open()), path);
  }
});

test('a layout without an image, with another name or with a damaged document is an error that says so', async (t) => {
  const dir = await makeTmpDir(t);
  await assert.rejects(openLayout(join(dir, 'absent')), /absent: expected an OCI layout, a directory or a tar/);
  await assert.rejects(openLayout(dir), /expected an OCI layout with an index\.json/);
  const image = imageOf(layers);
  await writeLayout(dir, image, 'v1');
  await assert.rejects(openLayout(dir, 'v2'), /has no image called "v2"; it has v1/);
  const manifest = join(dir, 'blobs', image.root.descriptor.digest.replace(':', '/'));
  await writeFile(manifest, '{}');
  await assert.rejects(readBase(await openLayout(dir), amd64), /expected sha256:\w+, got content of sha256:/);
  await rm(manifest);
  await assert.rejects(readBase(await openLayout(dir), amd64), /cannot read blobs\/sha256/);
});

test('a platform that the base does not have is an error with those it has', async (t) => {
  const dir = await makeTmpDir(t);
  await writeLayout(dir, imageOf(layers, [amd64, arm64]), 'v1');
  await assert.rejects(
    readBase(await openLayout(dir), { os: 'linux', architecture: 's390x' }),
    /has no image for linux\/s390x; it has linux\/amd64, linux\/arm64\/v8/,
  );
  await writeLayout(dir, imageOf(layers), 'v1');
  await assert.rejects(readBase(await openLayout(dir), arm64), /is for linux\/amd64, expected linux\/arm64\/v8/);
});

test('a base is read from a registry by tag or digest, and can be mounted from there', async (t) => {
  const server = await startRegistry(t, { login: 'token' });
  const { registry } = connectTo(t, server.name, { kind: 'basic', user: 'ada', password: 'secret' });
  const image = imageOf(layers, [amd64, arm64]);
  await pushImage({ registry, repository: 'base' }, { tag: '12' }, image);
  for (const name of [`${server.name}/base:12`, `${server.name}/base@${image.root.descriptor.digest}`]) {
    const base = await readBase(registrySource(registry, parseReference(name)), amd64);
    assert.equal(base.digest, image.root.descriptor.digest);
    assert.deepEqual(base.layers[0]?.origin, { registry: server.name, repository: 'base' });
    assert.deepEqual(await buffer(await base.layers[0]!.open()), await buffer(await layers[0]!.blob.open()));
  }
});

test("Docker's own manifests are read, and their layers named as OCI names them", async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  const image = imageOf(layers);
  await pushImage({ registry, repository: 'base' }, { tag: '12' }, image);
  const docker = image.root.bytes
    .toString()
    .replaceAll('application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip')
    .replaceAll('application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json')
    .replaceAll('application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json');
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  server.manifests.set('base:docker', { mediaType, bytes: Buffer.from(docker) });
  const { createHash } = await import('node:crypto');
  const digest = `sha256:${createHash('sha256').update(docker).digest('hex')}`;
  server.manifests.set(`base@${digest}`, { mediaType, bytes: Buffer.from(docker) });
  const base = await readBase(registrySource(registry, parseReference(`${server.name}/base:docker`)), amd64);
  assert.deepEqual(
    base.layers.map((each) => each.descriptor),
    layers.map((each) => each.blob.descriptor),
  );
  const foreign = docker.replaceAll('rootfs.diff.tar.gzip', 'rootfs.foreign.diff.tar.gzip');
  const foreignDigest = `sha256:${createHash('sha256').update(foreign).digest('hex')}`;
  for (const name of ['base:foreign', `base@${foreignDigest}`])
    server.manifests.set(name, { mediaType, bytes: Buffer.from(foreign) });
  await assert.rejects(
    readBase(registrySource(registry, parseReference(`${server.name}/base:foreign`)), amd64),
    /layer sha256:\w+ is of type .*foreign.*, which cannot be built on/,
  );
});

test('a layer whose bytes are not what its digest says is refused', async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  await pushImage({ registry, repository: 'base' }, { tag: '12' }, imageOf(layers));
  const { digest } = layers[0]!.blob.descriptor;
  server.blobs.set(`base@${digest}`, Buffer.from('something else'));
  const base = await readBase(registrySource(registry, parseReference(`${server.name}/base:12`)), amd64);
  await assert.rejects(buffer(await base.layers[0]!.open()), /expected \d+ bytes of sha256:\w+, got 14 of sha256:/);
});

test('an image that is not there is an error with what to check', async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  await assert.rejects(
    registrySource(registry, parseReference(`${server.name}/base:13`)).root(),
    /reading the manifest of 13 \(base\): status 404; MANIFEST_UNKNOWN: said MANIFEST_UNKNOWN; check the name/,
  );
});

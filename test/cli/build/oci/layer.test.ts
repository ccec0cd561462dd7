import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '../../../../cli/build/oci/blob.ts';
import { compressLayer, type LayerEntry, writeLayerTar } from '../../../../cli/build/oci/layer.ts';
import { createLayerCache } from '../../../../cli/build/oci/layer-cache.ts';
import { indexTar } from '../../../../cli/build/oci/tar-index.ts';
import { makeTmpDir } from '../../../helpers/tmp.ts';
import { readTar } from '../project.ts';

const text = (path: string, content: string, mode = 0o644): LayerEntry => ({
  kind: 'file',
  path,
  mode,
  source: Buffer.from(content),
});

test('a layer is sorted, without owner and time, and has the folders that its files lie in', async (t) => {
  const dir = await makeTmpDir(t);
  const file = join(dir, 'l.tar');
  await writeLayerTar(file, [
    text('usr/bin/tool', 'run', 0o755),
    { kind: 'symlink', path: 'bin/sh', target: '../usr/bin/tool' },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
  ]);
  const entries = await readTar(file);
  const shown = entries.map((each) => [each.name.replace(/\/$/, ''), each.type, each.mode, each.linkname]);
  assert.deepEqual(shown, [
    ['bin', 'directory', 0o755, ''],
    ['bin/sh', 'symlink', 0o777, '../usr/bin/tool'],
    ['tmp', 'directory', 0o1777, ''],
    ['usr', 'directory', 0o755, ''],
    ['usr/bin', 'directory', 0o755, ''],
    ['usr/bin/tool', 'file', 0o755, ''],
  ]);
  assert.deepEqual(new Set(entries.map((each) => `${each.owner} ${each.at}`)), new Set(['0:0:: 0']));
});

test('without parents only what was named is in the layer, so that links of a base stay', async (t) => {
  const file = join(await makeTmpDir(t), 'l.tar');
  await writeLayerTar(file, [text('usr/bin/tool', 'run')], false);
  assert.deepEqual(
    (await readTar(file)).map((each) => each.name),
    ['usr/bin/tool'],
  );
});

test('a compressed layer names digest, size and content, and no system it was made on', async (t) => {
  const dir = await makeTmpDir(t);
  const tar = join(dir, 'l.tar');
  await writeLayerTar(tar, [{ kind: 'file', path: 'data', mode: 0o644, source: randomBytes(700_000) }]);
  const layer = await compressLayer(tar, join(dir, 'l.tar.gz'), 'test');
  const bytes = await readFile(join(dir, 'l.tar.gz'));
  assert.equal(layer.blob.descriptor.digest, sha256(bytes));
  assert.equal(layer.blob.descriptor.size, bytes.length);
  assert.equal(bytes[9], 255);
  assert.equal(layer.diffId, sha256(await readFile(tar)));
  assert.deepEqual(gunzipSync(bytes), await readFile(tar));
});

test('a file that shrinks while it is packed leaves nothing behind', async (t) => {
  const dir = await makeTmpDir(t);
  await writeFile(join(dir, 'data'), 'short');
  const entry: LayerEntry = { kind: 'file', path: 'data', mode: 0o644, source: { file: join(dir, 'data'), bytes: 100 } };
  await assert.rejects(writeLayerTar(join(dir, 'l.tar'), [entry]), /[Ss]ize mismatch/);
  assert.deepEqual(await readdir(dir), ['data']);
});

test('the cache compresses a layer once, notices a damaged file, and drops what nobody used for a month', async (t) => {
  const dir = await makeTmpDir(t);
  const cache = createLayerCache(dir);
  const request = { entries: [text('a', 'content')], withParents: true, createdBy: 'test' };
  const first = await cache.make(request);
  const [file] = (await readdir(dir)).filter((name) => name.endsWith('.gz'));
  const path = join(dir, file!);
  const past = new Date(Date.now() - 20 * 24 * 3_600_000);
  await utimes(path, past, past);
  assert.deepEqual((await cache.make(request)).blob.descriptor, first.blob.descriptor);
  const whole = await readFile(path);
  await writeFile(path, Buffer.from(whole).fill(7, 12, 20));
  assert.deepEqual((await cache.make(request)).blob.descriptor, first.blob.descriptor);
  assert.deepEqual(await readFile(path), whole);
  const long = new Date(Date.now() - 31 * 24 * 3_600_000);
  await utimes(path, long, long);
  await cache.make({ ...request, entries: [text('b', 'other')] });
  assert.deepEqual((await readdir(dir)).filter((name) => name.endsWith('.gz')).includes(file!), false);
  assert.ok((await readdir(dir)).every((name) => !name.endsWith('.tar')));
});

test('files inside a tar are found without unpacking it; what is no tar is refused', async (t) => {
  const dir = await makeTmpDir(t);
  const file = join(dir, 'l.tar');
  const deep = `${'folder/'.repeat(20)}file`;
  await writeLayerTar(file, [text('a', 'first'), text('empty', ''), text(deep, 'second')]);
  const index = await indexTar(file);
  const bytes = await readFile(file);
  const contentOf = (path: string): string => {
    const { offset, bytes: length } = index.get(path)!;
    return bytes.toString('utf8', offset, offset + length);
  };
  assert.deepEqual([contentOf('a'), contentOf('empty'), contentOf(deep)], ['first', '', 'second']);
  await writeFile(file, randomBytes(2048));
  await assert.rejects(indexTar(file), /expected an uncompressed tar/);
});

test('a layer that several builds want at once is made once, and whole', async (t) => {
  const dir = await makeTmpDir(t);
  const entries: LayerEntry[] = [{ kind: 'file', path: 'data', mode: 0o644, source: randomBytes(3_000_000) }];
  const caches = [createLayerCache(dir), createLayerCache(dir)];
  const made = await Promise.all(
    [0, 1, 0, 1, 0].map((which) => caches[which]!.make({ entries, withParents: true, createdBy: 'test' })),
  );
  const bytes = await readFile(join(dir, `${made[0]!.diffId.slice(7)}.tar.gz`));
  for (const layer of made) assert.equal(layer.blob.descriptor.digest, sha256(bytes));
  assert.equal((await readdir(dir)).length, 2);
});

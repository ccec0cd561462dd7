import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { BundleOptions, BundleStore } from '../../../../provider/process/bundles/bundles.ts';
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { silent, temporaryDirectory } from '../store/fixture.ts';
import type { Archive, Item } from './archive.ts';
import { body, bundle, config, sha256, sluiceJson, tarOf } from './archive.ts';

const machine = { platform: 'linux-x64', abi: '999' };

const setUp = (t: TestContext, options: Partial<BundleOptions> = {}): { directory: string; bundles: BundleStore } => {
  const directory = temporaryDirectory(t);
  return { directory, bundles: createBundles({ dataDir: directory, maxBytes: 1024 * 1024, log: silent, machine, ...options }) };
};

/** Everything that is in the directory of bundles but the empty place for half-made ones. */
const entries = (directory: string): string[] => {
  const home = join(directory, 'bundles');
  return existsSync(home)
    ? readdirSync(home, { recursive: true })
        .map(String)
        .filter((name) => name !== 'partial')
    : [];
};

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

test('a bundle that was put can be read, with the modes it should have, whatever the umask', async (t) => {
  const { directory, bundles } = setUp(t);
  const { digest, bytes } = await bundle(
    1,
    { name: 'bin/run', content: '#!/bin/sh\n', mode: 0o4755 },
    { name: 'empty/', type: 'directory', mode: 0o700 },
    { name: 'data/deep/blob', content: Buffer.alloc(300_000, 'x'), mode: 0o666 },
    { name: 'link', type: 'symlink', linkname: 'bin/run' },
    { name: 'none', content: '' },
  );
  assert.equal(await bundles.has(digest), false);
  const before = process.umask(0o077);
  onEnd(t, () => process.umask(before));
  await bundles.put(digest, body(bytes));
  process.umask(before);

  assert.equal(await bundles.has(digest), true);
  assert.deepEqual(await bundles.config(digest), config);
  const root = await bundles.unpacked(digest);
  assert.equal(readFileSync(join(root, 'data/deep/blob')).length, 300_000);
  assert.equal(readFileSync(join(root, 'none')).length, 0);
  assert.equal(readlinkSync(join(root, 'link')), 'bin/run');
  const modes = ['', 'bin', 'bin/run', 'empty', 'data/deep', 'data/deep/blob', 'handler.js'].map((name) =>
    modeOf(join(root, name)),
  );
  assert.deepEqual(modes, ['755', '755', '755', '755', '755', '644', '644']);
  assert.equal(modeOf(join(directory, 'bundles')), '700');
  assert.deepEqual(readdirSync(join(directory, 'bundles')).sort(), [digest, 'partial'].sort());
  assert.deepEqual(readdirSync(join(directory, 'bundles/partial')), []);
});

test('a new process finds the bundle', async (t) => {
  const { directory, bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  await bundles.put(digest, body(bytes));
  const again = createBundles({ dataDir: directory, maxBytes: 1, log: silent, machine });
  assert.equal(await again.has(digest), true);
  assert.deepEqual(await again.config(digest), config);
});

test('what is refused leaves nothing behind', async (t) => {
  const { directory, bundles } = setUp(t);
  const good = await bundle();
  const half = good.bytes.subarray(0, 700);
  const rows: [string, Archive | Promise<Archive>, RegExp][] = [
    [
      'other bytes',
      { digest: sha256(Buffer.from('x')), bytes: good.bytes },
      /digest: expected [0-9a-f]{64}, .* got [0-9a-f]{64}/,
    ],
    ['bad digest', { digest: 'abc', bytes: good.bytes }, /digest: expected 64 lower-case/],
    ['climbing digest', { digest: '../../x', bytes: good.bytes }, /digest: expected 64 lower-case/],
    ['nothing', { digest: sha256(Buffer.alloc(0)), bytes: Buffer.alloc(0) }, /first entry, got an empty archive/],
    ['no tar', { digest: sha256(Buffer.alloc(2000, 'a')), bytes: Buffer.alloc(2000, 'a') }, /expected a tar archive/],
    ['half a tar', { digest: sha256(half), bytes: half }, /expected a tar archive: Unexpected end/],
    ['config later', tarOf({ name: 'handler.js', content: '' }, sluiceJson()), /sluice\.json as first entry, got "handler\.js"/],
    ['config a link', tarOf({ name: 'sluice.json', type: 'symlink', linkname: 'x' }), /sluice\.json as first entry/],
    ['config no JSON', tarOf({ name: 'sluice.json', content: '{' }), /sluice\.json: expected JSON/],
    ['config too long', tarOf({ name: 'sluice.json', content: ' '.repeat(1024 * 1024 - 4096) }), /sluice\.json: expected JSON/],
    ['config unknown mode', tarOf(sluiceJson({ mode: 'magic' })), /mode: .*got "magic"/],
    ['no handler', tarOf(sluiceJson({ handler: undefined })), /handler: expected the path of a module/],
    [
      'handler outside',
      tarOf(sluiceJson({ handler: '../x.js' })),
      /handler: expected a path inside the bundle, got "\.\.\/x\.js"/,
    ],
    ['platform', tarOf(sluiceJson({ platform: 'darwin-arm64' })), /platform: expected linux-x64, .*got darwin-arm64/],
    ['abi', tarOf(sluiceJson({ abi: '1' })), /abi: expected 999, .*got 1/],
    ['outside', bundle(0, { name: '../evil', content: 'x' }), /entry "\.\.\/evil": expected a relative path/],
    [
      'late evil',
      bundle(0, { name: 'a', content: 'x' }, { name: 'l', type: 'symlink', linkname: '/etc' }),
      /symbolic link to a place inside/,
    ],
    [
      'write through a link',
      bundle(0, { name: 'l', type: 'symlink', linkname: 'm' }, { name: 'l/x', content: 'x' }),
      /lies below the symlink/,
    ],
    [
      'path too long',
      bundle(0, { name: Array(20).fill('x'.repeat(250)).join('/'), content: 'x' }),
      /file system refuses: ENAMETOOLONG/,
    ],
    ['hard link', bundle(0, { name: 'l', type: 'link', linkname: 'handler.js' }), /got a link/],
  ];
  for (const [title, archive, message] of rows) {
    const { digest, bytes } = await archive;
    await assert.rejects(bundles.put(digest, body(bytes)), { name: 'FaasError', code: 'invalid', message }, title);
    assert.deepEqual(entries(directory), [], title);
    assert.equal(await bundles.has(digest), false, title);
    if (digest.length === 64)
      await assert.rejects(bundles.config(digest), { code: 'invalid', message: /no bundle sha256:.*upload it first/ });
  }
  assert.equal(existsSync(join(directory, 'evil')), false);
});

test('an upload over the limit is refused without reading on', async (t) => {
  const { directory, bundles } = setUp(t, { maxBytes: 200_000 });
  const { digest, bytes } = await bundle(0, { name: 'blob', content: Buffer.alloc(900_000) });
  let chunks = 0;
  const counted = body(bytes, 50_000, async () => {
    chunks += 1;
  });
  await assert.rejects(bundles.put(digest, counted), { code: 'too-large', message: /at most 200000 bytes/ });
  assert.equal(chunks, 5);
  assert.deepEqual(entries(directory), []);
});

test('an upload of exactly the limit is taken', async (t) => {
  const { digest, bytes } = await bundle();
  const { bundles } = setUp(t, { maxBytes: bytes.length });
  await bundles.put(digest, body(bytes));
  assert.equal(await bundles.has(digest), true);
});

test('an upload that breaks off leaves nothing behind', async (t) => {
  const { directory, bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 1000);
    throw new Error('aborted');
  };
  await assert.rejects(bundles.put(digest, broken()), { code: 'invalid', message: /broke off after 1000 bytes: aborted/ });
  assert.deepEqual(entries(directory), []);
});

test('putting a bundle again succeeds, reads the body to its end and changes nothing', async (t) => {
  const { bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  await bundles.put(digest, body(bytes));
  const inode = lstatSync(join(await bundles.unpacked(digest), 'handler.js')).ino;
  let isRead = false;
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    yield* body(bytes);
    isRead = true;
  };
  await bundles.put(digest, watched());
  assert.equal(isRead, true);
  assert.equal(lstatSync(join(await bundles.unpacked(digest), 'handler.js')).ino, inode);
});

test('the same bundle put several times at once is there once, and every caller succeeds', async (t) => {
  const { directory, bundles } = setUp(t);
  const items: Item[] = Array.from({ length: 40 }, (_, index) => ({ name: `files/${index}`, content: `${index}` }));
  const { digest, bytes } = await bundle(0, ...items);
  await Promise.all(Array.from({ length: 8 }, () => bundles.put(digest, body(bytes, 4096))));
  assert.deepEqual(readdirSync(join(directory, 'bundles/partial')), []);
  assert.equal(readdirSync(join(await bundles.unpacked(digest), 'files')).length, 40);
});

test('a bad upload does not spoil a good one of the same digest', async (t) => {
  const { bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  const results = await Promise.allSettled([bundles.put(digest, body(Buffer.from('wrong'))), bundles.put(digest, body(bytes))]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'fulfilled'],
  );
  assert.equal(await bundles.has(digest), true);
});

test('a bundle for another machine is refused when the data directory moves', async (t) => {
  const { directory, bundles } = setUp(t);
  const { digest, bytes } = await tarOf(sluiceJson({ abi: '999', platform: 'linux-x64' }));
  await bundles.put(digest, body(bytes));
  const moved = createBundles({ dataDir: directory, maxBytes: 1, log: silent, machine: { ...machine, abi: '1000' } });
  await assert.rejects(moved.config(digest), { code: 'invalid', message: /abi: expected 1000, .* got 999/ });
});

test('the event loop turns while a bundle of many files is stored', async (t) => {
  const { bundles } = setUp(t);
  const items: Item[] = Array.from({ length: 150 }, (_, index) => ({
    name: `d${index % 20}/${index}`,
    content: 'x'.repeat(index),
  }));
  const { digest, bytes } = await bundle(0, ...items);
  let turns = 0;
  let next: NodeJS.Immediate;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  turn();
  await bundles.put(digest, body(bytes));
  clearImmediate(next!);
  assert.ok(turns > items.length, `only ${turns} turns for ${items.length} files`);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { silent, temporaryDirectory } from '../store/fixture.ts';
import { body, bundle } from './archive.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'giving files to other users needs root' };

const alice = { uid: 231_001, gid: 231_001, area: 'alice' };
const bob = { uid: 231_002, gid: 231_002, area: 'bob' };

const setUp = async (t: TestContext) => {
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o711);
  const dataDir = join(directory, 'data');
  const runDir = join(directory, 'run');
  mkdirSync(dataDir, { mode: 0o700 });
  mkdirSync(runDir);
  chmodSync(runDir, 0o711);
  const make = () => createBundles({ dataDir, runDir, maxBytes: 1_000_000, log: silent });
  const bundles = make();
  const { digest, bytes } = await bundle(
    0,
    { name: 'bin/run', content: '#!/bin/sh\necho ran\n', mode: 0o755 },
    { name: 'link', type: 'symlink', linkname: 'bin/run' },
  );
  await bundles.put(digest, body(bytes));
  return { dataDir, runDir, bundles, make, digest };
};

/** Exit code of a shell command that another user runs. */
const runAs = ({ uid, gid }: { uid: number; gid: number }, command: string): number | null =>
  spawnSync('/bin/sh', ['-c', command], { uid, gid, cwd: '/', stdio: 'ignore', timeout: 5000 }).status;

const shape = (path: string): string => {
  const { mode, uid, gid } = lstatSync(path);
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
};

test('a copy for an owner can be read and run by that user alone, and changed by none', asRoot, async (t) => {
  const { bundles, digest, runDir, dataDir } = await setUp(t);
  const root = await bundles.unpacked(digest, alice);
  assert.equal(root, join(runDir, 'bundles', 'alice', digest));
  assert.deepEqual(
    ['.', 'handler.js', 'bin', 'bin/run'].map((name) => shape(join(root, name))),
    ['750 0:231001', '640 0:231001', '750 0:231001', '750 0:231001'],
  );
  assert.equal(readlinkSync(join(root, 'link')), 'bin/run');
  assert.equal(runAs(alice, `cat ${root}/handler.js && ${root}/link`), 0);
  assert.notEqual(runAs(alice, `echo x > ${root}/handler.js`), 0);
  assert.notEqual(runAs(alice, `touch ${root}/new`), 0);
  assert.notEqual(runAs(alice, `ls ${runDir}/bundles`), 0);
  assert.notEqual(runAs(alice, `ls ${dataDir}`), 0);
  for (const path of [root, `${root}/handler.js`, join(root, '..')])
    assert.notEqual(runAs(bob, `cat ${path} || ls ${path}`), 0, path);
});

test('callers at once get one copy, each area its own', asRoot, async (t) => {
  const { bundles, digest } = await setUp(t);
  const roots = await Promise.all([alice, alice, bob, alice].map((owner) => bundles.unpacked(digest, owner)));
  assert.equal(new Set(roots).size, 2);
  assert.equal(runAs(bob, `cat ${roots[2]}/handler.js`), 0);
});

test('a copy that an earlier gateway left is made anew', asRoot, async (t) => {
  const { bundles, digest, runDir } = await setUp(t);
  const stale = join(runDir, 'bundles', 'alice', digest);
  mkdirSync(`${stale}.partial`, { recursive: true });
  mkdirSync(stale);
  writeFileSync(join(stale, 'stale'), '');
  const root = await bundles.unpacked(digest, alice);
  assert.deepEqual(readdirSync(root).sort(), ['bin', 'handler.js', 'link', 'sluice.json']);
  assert.deepEqual(readdirSync(join(root, '..')), [digest]);
});

test('copies go with their area, with their bundle, and in the sweep when an earlier gateway left them', asRoot, async (t) => {
  const { bundles, make, digest, runDir } = await setUp(t);
  const ofAlice = await bundles.unpacked(digest, alice);
  const ofBob = await bundles.unpacked(digest, bob);
  await bundles.removeArea('alice');
  assert.equal(existsSync(join(ofAlice, '..')), false);
  assert.equal(existsSync(ofBob), true);
  assert.equal(await bundles.unpacked(digest, alice), ofAlice);
  assert.equal(existsSync(ofAlice), true);

  await bundles.sweep();
  assert.equal(existsSync(ofAlice), true, 'those of this gateway stay');
  await make().sweep();
  assert.deepEqual(readdirSync(join(runDir, 'bundles', 'bob')), []);

  const third = make();
  await third.unpacked(digest, bob);
  assert.deepEqual(await third.collect(new Set(), Date.now() + 2 * 86_400_000), [digest]);
  assert.equal(existsSync(ofBob), false);
});

test('a copy that is wanted while its area or its bundle goes is made after that', asRoot, async (t) => {
  const { bundles, digest } = await setUp(t);
  for (let round = 0; round < 20; round += 1) {
    const first = bundles.unpacked(digest, alice);
    if (round % 2 === 0) await first;
    const removed = bundles.removeArea('alice');
    const root = await bundles.unpacked(digest, alice);
    await removed;
    assert.deepEqual(readdirSync(root).sort(), ['bin', 'handler.js', 'link', 'sluice.json'], `round ${round}`);
    await first;
  }
});

test('an area that is no plain name is refused', async (t) => {
  const { bundles, digest, runDir } = await setUp(t);
  await assert.rejects(bundles.unpacked(digest, { ...alice, area: '../x' }), { code: 'invalid', message: /area: expected/ });
  await assert.rejects(bundles.removeArea('..'), { code: 'invalid' });
  assert.equal(existsSync(runDir), true);
});

test('where another user cannot be given files, the copy fails and leaves nothing', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root can give files to anybody');
  const { bundles, digest, runDir } = await setUp(t);
  await assert.rejects(bundles.unpacked(digest, alice), { code: 'internal', message: /could not be copied/ });
  assert.deepEqual(existsSync(join(runDir, 'bundles', 'alice')) ? readdirSync(join(runDir, 'bundles', 'alice')) : [], []);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type TreeEntry, walkTree } from '../../../cli/build/files.ts';
import { configText, packBundle } from '../../../cli/build/pack.ts';
import type { BundleConfig } from '../../../provider/types/bundle.ts';
import { createProject, readTar } from './project.ts';

const config: BundleConfig = { version: 1, language: 'bash', mode: 'streaming', fprocess: 'bash a.sh' };

const files = { 'in/b.txt': 'b', 'in/a/z.txt': 'z', 'in/a-b.txt': 'ab', 'in/Z.txt': 'Z', 'in/ä.txt': 'umlaut', 'in/run.sh': 'x' };

test('a bundle is sluice.json and then the sorted files with plain modes, no owner and no time', async (t) => {
  const cwd = await createProject(t, files);
  await chmod(join(cwd, 'in/run.sh'), 0o700);
  await chmod(join(cwd, 'in/b.txt'), 0o600);
  await symlink('../b.txt', join(cwd, 'in/a/link'));
  const packed = await packBundle(join(cwd, 'in'), await walkTree(join(cwd, 'in')), config, join(cwd, 'out.tar'));
  const bytes = await readFile(join(cwd, 'out.tar'));
  assert.equal(packed.digest, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(packed.bytes, bytes.length);
  const entries = await readTar(join(cwd, 'out.tar'));
  assert.deepEqual(
    entries.map(({ name, type, mode }) => `${name} ${type} ${mode.toString(8)}`),
    [
      'sluice.json file 644',
      'Z.txt file 644',
      'a directory 755',
      'a-b.txt file 644',
      'a/link symlink 777',
      'a/z.txt file 644',
      'b.txt file 644',
      'run.sh file 755',
      'ä.txt file 644',
    ],
  );
  for (const entry of entries) assert.deepEqual([entry.owner, entry.at], ['0:0::', 0]);
  assert.equal(entries.find((entry) => entry.name === 'a/link')?.linkname, '../b.txt');
});

test('the order in which entries come, and their times, do not change the digest', async (t) => {
  const cwd = await createProject(t, files);
  const root = join(cwd, 'in');
  const entries = await walkTree(root);
  const first = await packBundle(root, entries, config, join(cwd, '1.tar'));
  await utimes(join(root, 'b.txt'), 1, 1);
  const second = await packBundle(root, entries.toReversed(), config, join(cwd, '2.tar'));
  assert.equal(second.digest, first.digest);
});

test('the configuration has the same bytes whatever order its keys were written in', () => {
  const environment = { b: '2', a: '1' };
  assert.equal(
    configText({ ...config, environment }),
    configText({ environment: { a: '1', b: '2' }, fprocess: 'bash a.sh', mode: 'streaming', language: 'bash', version: 1 }),
  );
});

test('long paths and large files come back as they were', async (t) => {
  const name = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(120)}.txt`;
  const large = 'x'.repeat(3 * 1024 * 1024 + 7);
  const cwd = await createProject(t, { [`in/${name}`]: 'far down', 'in/large.bin': large, 'in/empty': '' });
  await packBundle(join(cwd, 'in'), await walkTree(join(cwd, 'in')), config, join(cwd, 'out.tar'));
  const entries = await readTar(join(cwd, 'out.tar'));
  assert.equal(entries.find((entry) => entry.name === name)?.text, 'far down');
  assert.equal(entries.find((entry) => entry.name === 'large.bin')?.text, large);
  assert.equal(entries.find((entry) => entry.name === 'empty')?.text, '');
});

for (const target of ['../outside', '/etc/passwd', 'a/../../outside', 'a/../a']) {
  test(`a link to ${target} is refused and leaves no file`, async (t) => {
    const cwd = await createProject(t, { 'in/a/file': 'x' });
    await symlink(target, join(cwd, 'in/link'));
    const entries = await walkTree(join(cwd, 'in'));
    await assert.rejects(packBundle(join(cwd, 'in'), entries, config, join(cwd, 'out.tar')), {
      code: 'invalid',
      message: `${join(cwd, 'in/link')}: expected a link that stays inside the function, got ${target}`,
    });
    assert.deepEqual(await readdir(cwd), ['in']);
  });
}

test('a file of the name of the configuration is refused', async (t) => {
  const cwd = await createProject(t, { 'in/sluice.json': '{}' });
  const entries = await walkTree(join(cwd, 'in'));
  await assert.rejects(packBundle(join(cwd, 'in'), entries, config, join(cwd, 'out.tar')), /sluice\.json is reserved/);
});

test('a pipe among the files is refused by name', async (t) => {
  const cwd = await createProject(t);
  await mkdir(join(cwd, 'in'));
  execFileSync('mkfifo', [join(cwd, 'in/pipe')]);
  await assert.rejects(walkTree(join(cwd, 'in')), {
    code: 'invalid',
    message: /in\/pipe: expected a file, .* got a socket, pipe/,
  });
});

for (const [what, change] of [
  ['shrinks', (entry: TreeEntry) => ({ ...entry, bytes: entry.bytes + 5 })],
  ['grows', (entry: TreeEntry) => ({ ...entry, bytes: entry.bytes - 5 })],
  ['goes away', (entry: TreeEntry) => ({ ...entry, path: 'gone.txt' })],
] as const) {
  test(`a file that ${what} while it is packed fails the build and leaves no file`, async (t) => {
    const cwd = await createProject(t, { 'in/file.txt': '0123456789' });
    const entries = (await walkTree(join(cwd, 'in'))).map(change);
    const packing = packBundle(join(cwd, 'in'), entries, config, join(cwd, 'out.tar'));
    await assert.rejects(packing, { code: 'invalid', message: /changed or became unreadable while it was packed/ });
    assert.deepEqual(await readdir(cwd), ['in']);
  });
}

test('a place that cannot be written is named', async (t) => {
  const cwd = await createProject(t, { 'in/file.txt': 'x' });
  await writeFile(join(cwd, 'taken'), '');
  const packing = packBundle(join(cwd, 'in'), await walkTree(join(cwd, 'in')), config, join(cwd, 'taken/out.tar'));
  await assert.rejects(packing, /taken\/out\.tar/);
});

test('a cancelled build stops packing and leaves no file', async (t) => {
  const cwd = await createProject(t, { 'in/file.txt': 'x' });
  const entries = await walkTree(join(cwd, 'in'));
  const packing = packBundle(join(cwd, 'in'), entries, config, join(cwd, 'out.tar'), AbortSignal.abort(new Error('cancelled')));
  await assert.rejects(packing, /cancelled/);
  assert.deepEqual(await readdir(cwd), ['in']);
});

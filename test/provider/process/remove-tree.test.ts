import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeTree } from '../../../provider/process/remove-tree.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';

test('a directory goes with all that is in it, and what links in it lead to stays', async (t) => {
  const dir = await makeTmpDir(t);
  const [tree, other] = [join(dir, 'tree'), join(dir, 'other')];
  mkdirSync(join(tree, 'a', 'b'), { recursive: true });
  mkdirSync(other);
  writeFileSync(join(other, 'kept'), 'kept');
  writeFileSync(join(tree, 'a', 'b', 'file'), '');
  symlinkSync(other, join(tree, 'a', 'link'));
  symlinkSync('nowhere', join(tree, 'dangling'));
  await removeTree(tree);
  assert.equal(existsSync(tree), false);
  assert.equal(await readFile(join(other, 'kept'), 'utf8'), 'kept');
  await removeTree(tree);
});

test('a link in the place of the directory goes, and not what it leads to', async (t) => {
  const dir = await makeTmpDir(t);
  const [link, other] = [join(dir, 'link'), join(dir, 'other')];
  mkdirSync(other);
  writeFileSync(join(other, 'kept'), 'kept');
  symlinkSync(other, link);
  await removeTree(link);
  assert.equal(existsSync(link), false);
  assert.equal(await readFile(join(other, 'kept'), 'utf8'), 'kept');
});

const needsRoot = process.getuid?.() === 0 ? false : 'only root removes what others are at work in';

test('a directory goes however deep it is, with few files open at a time', { skip: needsRoot }, async (t) => {
  const dir = await makeTmpDir(t);
  const tree = join(dir, 'tree');
  mkdirSync(tree);
  const before = process.cwd();
  onEnd(t, () => process.chdir(before));
  process.chdir(tree);
  // Deeper than a path can say.
  for (let depth = 0; depth < 1500; depth += 1) {
    mkdirSync('deep');
    process.chdir('deep');
  }
  process.chdir(before);
  await removeTree(tree);
  assert.equal(existsSync(tree), false);
});

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createContext } from '../../../cli/build/context.ts';
import { findTemplate } from '../../../cli/templates/find.ts';
import { builtinDir, createProject, writeFiles } from './project.ts';

const template = {
  'template/own/template.yml': 'language: own\nhandler_folder: src\n',
  'template/own/.hidden': 'h',
  'template/own/index.js': 'index',
  'template/own/src/handler.js': 'sample',
  'template/own/src/sample.txt': 'sample',
};

const make = async (t: TestContext, files: Readonly<Record<string, string>>, copyExtra: readonly string[] = []) => {
  const cwd = await createProject(t, { ...template, ...files });
  const make = async () =>
    createContext({
      name: 'greet',
      template: await findTemplate('own', { cwd, builtinDir }),
      cwd,
      handlerDir: 'greet',
      copyExtra,
    });
  return { cwd, make };
};

test('the handler lies over the template, whose other samples remain', async (t) => {
  const { cwd, make: create } = await make(t, { 'greet/handler.js': 'mine', 'greet/lib/a.js': 'a' });
  const context = await create();
  assert.equal(context.dir, join(cwd, 'build/greet'));
  assert.equal(await readFile(join(context.handlerDir, 'handler.js'), 'utf8'), 'mine');
  assert.deepEqual((await readdir(context.dir, { recursive: true })).sort(), [
    '.hidden',
    'index.js',
    'src',
    'src/handler.js',
    'src/lib',
    'src/lib/a.js',
    'src/sample.txt',
    'template.yml',
  ]);
});

test('what an earlier build left is gone', async (t) => {
  const { cwd, make: create } = await make(t, { 'greet/handler.js': 'mine', 'build/greet/old.txt': 'old' });
  await create();
  await assert.rejects(stat(join(cwd, 'build/greet/old.txt')), { code: 'ENOENT' });
});

test('build, template, .secrets, git, caches and installed packages of the handler stay out', async (t) => {
  const { make: create } = await make(t, {
    'greet/handler.js': 'mine',
    'greet/package.json': '{}',
    'greet/node_modules/dep/index.js': 'dep',
    'greet/build/x': 'x',
    'greet/template/x': 'x',
    'greet/.secrets/key': 'x',
    'greet/.git/HEAD': 'x',
    'greet/sub/.DS_Store': 'x',
    'greet/sub/build/kept.txt': 'deeper ones are the function’s own',
    'greet/__pycache__/handler.pyc': 'x',
  });
  const { handlerDir } = await create();
  assert.deepEqual((await readdir(handlerDir, { recursive: true })).sort(), [
    'handler.js',
    'package.json',
    'sample.txt',
    'sub',
    'sub/build',
    'sub/build/kept.txt',
  ]);
});

test('packages without a package.json are the function’s own and are copied', async (t) => {
  const { make: create } = await make(t, { 'greet/node_modules/dep/index.js': 'dep' });
  const { handlerDir } = await create();
  assert.equal(await readFile(join(handlerDir, 'node_modules/dep/index.js'), 'utf8'), 'dep');
});

test('links inside the handler are kept, links out of it are replaced by what they point to', async (t) => {
  const { cwd, make: create } = await make(t, { 'greet/a.txt': 'a', 'shared/lib/b.txt': 'b', 'one.txt': 'one' });
  await symlink('a.txt', join(cwd, 'greet/inside'));
  await symlink('../shared', join(cwd, 'greet/folder'));
  await symlink(join(cwd, 'one.txt'), join(cwd, 'greet/file'));
  const { handlerDir } = await create();
  assert.equal(await readlink(join(handlerDir, 'inside')), 'a.txt');
  assert.equal(await readFile(join(handlerDir, 'folder/lib/b.txt'), 'utf8'), 'b');
  assert.ok((await stat(join(handlerDir, 'folder'))).isDirectory());
  assert.equal(await readFile(join(handlerDir, 'file'), 'utf8'), 'one');
  await assert.rejects(readlink(join(handlerDir, 'file')), { code: 'EINVAL' });
});

test('a link to nothing and a link in a circle are refused by name', async (t) => {
  const { cwd, make: create } = await make(t, { 'greet/a.txt': 'a' });
  await symlink('../gone', join(cwd, 'greet/broken'));
  await assert.rejects(create(), { code: 'invalid', message: /greet\/broken: link to \.\.\/gone, which does not exist/ });
  const other = await make(t, { 'greet/sub/a.txt': 'a' });
  await symlink(other.cwd, join(other.cwd, 'greet/sub/circle'));
  await assert.rejects(other.make(), { code: 'invalid', message: /a folder that holds the link itself/ });
});

test('extra paths are copied below the handler folder under their own path', async (t) => {
  const { make: create } = await make(t, { 'greet/a.txt': 'a', 'common/lib/b.txt': 'b', 'data/c.txt': 'c', 'data/d.txt': 'd' }, [
    'common',
    './data/c.txt',
  ]);
  const { handlerDir } = await create();
  assert.equal(await readFile(join(handlerDir, 'common/lib/b.txt'), 'utf8'), 'b');
  assert.deepEqual(await readdir(join(handlerDir, 'data')), ['c.txt']);
});

for (const extra of ['.', '..', '../proj-evil', 'missing', 'way-out']) {
  test(`the extra path ${extra} is refused`, async (t) => {
    const { cwd, make: create } = await make(t, { 'greet/a.txt': 'a' }, [extra === '../proj-evil' ? '' : extra]);
    if (extra === 'way-out') await symlink('/etc', join(cwd, 'way-out'));
    if (extra === '../proj-evil') {
      const inner = join(cwd, 'proj');
      await writeFiles(cwd, { 'proj/greet/a.txt': 'a', 'proj-evil/x': 'x', 'proj/template/own/template.yml': '' });
      const evil = createContext({
        name: 'greet',
        template: await findTemplate('own', { cwd: inner, builtinDir }),
        cwd: inner,
        handlerDir: 'greet',
        copyExtra: [extra],
      });
      await assert.rejects(evil, { code: 'invalid', message: /copy: \.\.\/proj-evil: expected a path inside the project/ });
      return;
    }
    await assert.rejects(create(), { code: 'invalid', message: new RegExp(`copy: ${extra.replaceAll('.', '\\.')}: expected`) });
  });
}

test('a handler folder that is missing, or is a file, is named', async (t) => {
  const { cwd, make: create } = await make(t, {});
  await assert.rejects(create(), {
    code: 'invalid',
    message: `handler: expected a folder, got greet, which does not exist in ${cwd}`,
  });
  await writeFiles(cwd, { greet: 'text' });
  await assert.rejects(create(), { code: 'invalid', message: 'handler: expected a folder, got greet, which is a file' });
});

test('a project that is its own handler is built without its build folder', async (t) => {
  const cwd = await createProject(t, { ...template, 'handler.js': 'mine', 'build/greet/old': 'x' });
  await mkdir(join(cwd, '.secrets'));
  const found = await findTemplate('own', { cwd, builtinDir });
  const { handlerDir } = await createContext({ name: 'greet', template: found, cwd, handlerDir: '.', copyExtra: [] });
  assert.deepEqual((await readdir(handlerDir)).sort(), ['handler.js', 'sample.txt']);
});

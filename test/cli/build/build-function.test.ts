import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, cp, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildFunction, shrinkwrapFunction } from '../../../cli/build/build-function.ts';
import { walkTree } from '../../../cli/build/files.ts';
import { BundleConfig } from '../../../provider/types/bundle.ts';
import { build, builtinDir, createProject, namesOf, plainEnv, readTar, writeFiles } from './project.ts';

const node = { 'greet/handler.js': 'module.exports = async () => "hi";\n', 'greet/lib/a.js': 'exports.a = 1;\n' };

test('a build prints the image with the digest of its tar, which begins with a valid configuration', async (t) => {
  const cwd = await createProject(t, node);
  const built = await build(cwd, { lang: 'node', image: 'reg:5000/team/greet:1.2' });
  assert.equal(
    built.digest,
    createHash('sha256')
      .update(await readFile(built.file))
      .digest('hex'),
  );
  assert.equal(built.image, `reg:5000/team/greet:1.2@sha256:${built.digest}`);
  assert.equal(built.bytes, (await stat(built.file)).size);
  assert.equal(built.file, join(cwd, 'build/greet.tar'));
  const [first] = await readTar(built.file);
  assert.equal(first?.name, 'sluice.json');
  const config = BundleConfig.parse(JSON.parse(first?.text ?? ''));
  assert.deepEqual(config, built.config);
  assert.deepEqual(config, {
    version: 1,
    language: 'node',
    mode: 'inproc',
    handler: 'function/handler.js',
    environment: { handler_style: 'event' },
  });
});

for (const lang of ['node', 'typescript', 'python3', 'bash']) {
  test(`two builds of a ${lang} function have one digest, from another directory, time and umask too`, async (t) => {
    const files: Record<string, string> =
      lang === 'typescript' ? { 'greet/lib.ts': 'export const a: number = 1;\n' } : { 'greet/lib.txt': 'a' };
    const here = await createProject(t, files);
    const there = await createProject(t);
    await cp(join(here, 'greet'), join(there, 'greet'), { recursive: true });
    for (const { path, kind } of await walkTree(join(there, 'greet'))) {
      await utimes(join(there, 'greet', path), 86_400, 86_400);
      if (kind === 'file') await chmod(join(there, 'greet', path), 0o666);
    }
    const first = await build(here, { lang });
    const again = await build(here, { lang });
    const elsewhere = await build(there, { lang, env: { ...plainEnv(), LC_ALL: 'C', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Tokyo' } });
    assert.equal(again.digest, first.digest);
    assert.equal(elsewhere.digest, first.digest);
    await writeFiles(here, { 'greet/more.txt': 'b' });
    assert.notEqual((await build(here, { lang })).digest, first.digest);
  });
}

test('tests and build files are not in the bundle', async (t) => {
  const cwd = await createProject(t, { ...node, 'greet/lib/a.test.js': 'x', 'greet/lib/latest.js': 'x' });
  const names = await namesOf((await build(cwd, { lang: 'node' })).file);
  assert.ok(names.includes('function/lib/latest.js'));
  assert.deepEqual(
    names.filter((name) => /\.test\.js$|template\.yml$/.test(name)),
    [],
  );
});

test('an OpenFaaS language of the same handlers is built with ours, which the log says', async (t) => {
  const cwd = await createProject(t, node);
  const built = await build(cwd, { lang: 'node22' });
  assert.deepEqual(built.lines, ['greet: lang node22 uses the built-in template node']);
  assert.equal(built.config.language, 'node');
});

test('shrinkwrap stops after the build context', async (t) => {
  const cwd = await createProject(t, node);
  const options = {
    name: 'greet',
    lang: 'node',
    handlerDir: './greet',
    image: 'greet',
    cwd,
    env: plainEnv(),
    log: () => undefined,
  };
  const dir = await shrinkwrapFunction({ ...options, builtinTemplatesDir: builtinDir });
  assert.equal(dir, join(cwd, 'build/greet'));
  assert.equal(await readFile(join(dir, 'function/lib/a.js'), 'utf8'), 'exports.a = 1;\n');
  await assert.rejects(stat(join(cwd, 'build/greet.tar')), { code: 'ENOENT' });
});

test('a native add-on ties the bundle to this platform and this version of Node.js', async (t) => {
  const cwd = await createProject(t, { ...node, 'greet/addon/x.node': 'ELF' });
  const { config } = await build(cwd, { lang: 'node' });
  assert.equal(config.platform, `${process.platform}-${process.arch}`);
  assert.equal(config.abi, process.versions.modules);
});

test('an in-process template without its handler is refused', async (t) => {
  const cwd = await createProject(t, {
    'template/mine/template.yml': 'sluice: {mode: inproc, handler: function/main.js}\n',
    'greet/other.js': '',
  });
  await assert.rejects(build(cwd, { lang: 'mine' }), {
    code: 'invalid',
    message: /greet: expected the handler function\/main\.js/,
  });
});

test('an unknown build option names the template and the ones that it has', async (t) => {
  const cwd = await createProject(t, {
    ...node,
    'template/mine/template.yml':
      'build_options:\n  - name: dev\n    packages: [make, gcc]\nsluice: {mode: inproc, handler: function/handler.js}\n',
  });
  const { lines } = await build(cwd, { lang: 'mine', buildOptions: ['dev'] });
  assert.deepEqual(lines, ['build option dev: a bundle has no system packages, this machine needs make gcc']);
  await assert.rejects(build(cwd, { lang: 'mine', buildOptions: ['debug'] }), {
    code: 'invalid',
    message: /build_options: "debug" is not in .*template\/mine\/template\.yml; it has dev/,
  });
});

test('a test that fails fails the build with its output, and one that passes leaves the digest as it is', async (t) => {
  const cwd = await createProject(t, node);
  const plain = await build(cwd, { lang: 'node' });
  await writeFiles(cwd, {
    'greet/handler.test.js':
      'require("node:fs").writeFileSync(__dirname + "/left-behind", "");\n' +
      'require("node:test").test("says hi", async () => { if (await require("./handler.js")() !== "hi") throw new Error("no hi"); });\n',
  });
  assert.equal((await build(cwd, { lang: 'node', test: true })).digest, plain.digest);
  await writeFiles(cwd, { 'greet/handler.js': 'module.exports = async () => "bye";\n' });
  await assert.rejects(build(cwd, { lang: 'node', test: true }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'invalid');
    assert.match(error.message, /^greet: tests failed with exit code 1:\n/);
    assert.match(error.message, /no hi/);
    return true;
  });
});

test('a cancelled build ends at once, with the programs it started', async (t) => {
  const cwd = await createProject(t, { ...node, 'greet/handler.test.js': 'setTimeout(() => {}, 60_000);\n' });
  const cancel = new AbortController();
  const building = buildFunction({
    name: 'greet',
    lang: 'node',
    handlerDir: 'greet',
    image: 'greet',
    cwd,
    builtinTemplatesDir: builtinDir,
    env: plainEnv(),
    test: true,
    log: (line) => {
      if (line.endsWith('node --test')) setImmediate(() => cancel.abort(new Error('cancelled')));
    },
    signal: cancel.signal,
  });
  await assert.rejects(building, /cancelled/);
});

for (const [what, options, message] of [
  ['a name that is no label', { name: '../x' }, /^name: expected at most 63/],
  ['an image with a digest', { image: 'x@sha256:00' }, /^image: expected name\[:tag\] without a digest/],
  [
    'an unknown language',
    { lang: 'nodee' },
    /^lang: no template called "nodee"; there are bash, node, python3, typescript; did you mean node\?/,
  ],
] as const) {
  test(`${what} is refused before anything is written`, async (t) => {
    const cwd = await createProject(t, node);
    await assert.rejects(build(cwd, { lang: 'node', ...options }), { code: 'invalid', message });
    await assert.rejects(stat(join(cwd, 'build')), { code: 'ENOENT' });
  });
}

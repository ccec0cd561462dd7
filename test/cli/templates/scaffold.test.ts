import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ScaffoldOptions, scaffold } from '../../../cli/templates/scaffold.ts';
import { builtinDir, createProject, writeFiles } from '../build/project.ts';

const make = (cwd: string, options: Partial<ScaffoldOptions> = {}) =>
  scaffold({ name: 'greet', lang: 'node', cwd, builtinDir, gateway: 'http://127.0.0.1:8080', ...options });

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

const everything = async (cwd: string): Promise<Record<string, string>> => {
  const entries = await readdir(cwd, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')])));
};

test('cli fact 64: a new function has stack.yaml 0600, a handler folder 0700 and three lines in .gitignore', async (t) => {
  const cwd = await createProject(t);
  const made = await make(cwd);
  assert.deepEqual(made.created, ['greet', 'stack.yaml', '.gitignore']);
  assert.equal(await modeOf(join(cwd, 'stack.yaml')), '600');
  assert.equal(await modeOf(join(cwd, 'greet')), '700');
  assert.equal(await readFile(join(cwd, '.gitignore'), 'utf8'), 'template\nbuild\n.secrets\n');
  assert.deepEqual((await readdir(join(cwd, 'greet'))).sort(), ['handler.js', 'handler.test.js', 'package.json']);
  assert.match(made.welcomeMessage ?? '', /handler\.js/);
  assert.equal(
    await readFile(join(cwd, 'stack.yaml'), 'utf8'),
    'version: 1.0\nprovider:\n  name: openfaas\n  gateway: http://127.0.0.1:8080\nfunctions:\n' +
      '  greet:\n    lang: node\n    handler: ./greet\n    image: greet:latest\n\n',
  );
});

test('cli fact 66: prefix, handler folder, file and quantities go into the stack file', async (t) => {
  const cwd = await createProject(t);
  const made = await make(cwd, {
    prefix: 'reg.example:5000/team/',
    handlerDir: 'src/my greet',
    stackFile: 'other.yml',
    requests: { cpu: '100m' },
    limits: { cpu: '1', memory: '128Mi' },
  });
  assert.equal(made.image, 'reg.example:5000/team/greet:latest');
  assert.match(
    await readFile(join(cwd, 'other.yml'), 'utf8'),
    / {4}handler: ".\/src\/my greet"\n {4}image: reg\.example:5000\/team\/greet:latest\n {4}requests:\n {6}cpu: 100m\n {4}limits:\n {6}cpu: 1\n {6}memory: 128Mi\n\n$/,
  );
  assert.ok((await stat(join(cwd, 'src/my greet/handler.js'))).isFile());
});

test('cli fact 67: the handler folder of template.yml is what is copied', async (t) => {
  const cwd = await createProject(t, {
    'template/mine/template.yml': 'handler_folder: src\nwelcome_message: hello\n',
    'template/mine/src/main.txt': 'x',
    'template/mine/function/other.txt': 'y',
  });
  const made = await make(cwd, { lang: 'mine' });
  assert.deepEqual(await readdir(join(cwd, 'greet')), ['main.txt']);
  assert.equal(made.welcomeMessage, 'hello');
});

test('lines of .gitignore that are there already stay and are not repeated', async (t) => {
  const cwd = await createProject(t, { '.gitignore': 'build\n*.log' });
  await make(cwd);
  assert.equal(await readFile(join(cwd, '.gitignore'), 'utf8'), 'build\n*.log\ntemplate\n.secrets\n');
});

test('a function is appended behind the last one, and everything else of the file stays', async (t) => {
  const before =
    '# ours\nversion: 1.0\nfunctions:\n    one: # first\n        lang: node\n        image: a:$TAG-1.10\n\n# the end\nconfiguration:\n  copy: [x]\n';
  const cwd = await createProject(t, { 'stack.yaml': before });
  await chmod(join(cwd, 'stack.yaml'), 0o640);
  const made = await make(cwd, { append: 'stack.yaml' });
  assert.equal(
    await readFile(join(cwd, 'stack.yaml'), 'utf8'),
    before.replace('-1.10\n', '-1.10\n\n    greet:\n      lang: node\n      handler: ./greet\n      image: greet:latest\n'),
  );
  assert.equal(await modeOf(join(cwd, 'stack.yaml')), '640');
  assert.deepEqual(made.created, ['greet', 'stack.yaml', '.gitignore']);
});

for (const [what, text] of [
  ['without functions', 'version: 1.0\n'],
  ['that is empty', ''],
  ['without a last line end', 'functions:\n  one:\n    lang: node'],
] as const) {
  test(`a function is appended to a stack file ${what}`, async (t) => {
    const cwd = await createProject(t, { 'stack.yml': text });
    await make(cwd, { append: 'stack.yml' });
    const after = await readFile(join(cwd, 'stack.yml'), 'utf8');
    assert.ok(after.startsWith(text));
    assert.match(after, /^functions:\n(?: {2}one:\n {4}lang: node\n\n)? {2}greet:\n {4}lang: node\n/m);
  });
}

const stack = 'functions:\n  greet:\n    lang: node\n';

for (const [what, files, options, message] of [
  ['cli fact 63: a bad name', {}, { name: 'Bad_Name' }, /^name: expected at most 63 lower-case letters/],
  ['cli fact 63: an existing folder', { 'greet/a': '' }, {}, /^--handler: greet exists already/],
  ['cli fact 63: an existing stack file', { 'stack.yml': stack }, {}, /^stack\.yml exists already; .*--append stack\.yml/],
  ['an existing -f file', { 'my.yml': '' }, { stackFile: 'my.yml' }, /^my\.yml exists already/],
  ['an unknown language', {}, { lang: 'nodes' }, /no template called "nodes"/],
  ['a bad prefix', {}, { prefix: 'Not Good' }, /^image: expected a lower-case name/],
  [
    'cli fact 65: appending a duplicate',
    { 'stack.yaml': stack },
    { append: 'stack.yaml' },
    /^stack\.yaml: has a function greet already/,
  ],
  ['cli fact 65: appending to another kind of file', { 'stack.txt': '' }, { append: 'stack.txt' }, /ends in \.yml or \.yaml/],
  ['appending to a file that is not there', {}, { append: 'stack.yaml' }, /expected an existing stack file/],
  ['appending to broken YAML', { 'stack.yaml': 'a: [' }, { append: 'stack.yaml' }, /^stack\.yaml: .*line 1/],
  [
    'appending to functions on one line',
    { 'stack.yaml': 'functions: {a: {lang: node}}' },
    { append: 'stack.yaml' },
    /of its own to append to/,
  ],
] as const) {
  test(`${what} is refused and changes nothing`, async (t) => {
    const cwd = await createProject(t, files);
    const before = await everything(cwd);
    await assert.rejects(make(cwd, options), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await everything(cwd), before);
  });
}

test('a failure half-way takes back what was made', async (t) => {
  const cwd = await createProject(t, { 'stack.yaml': 'functions:\n  one:\n    lang: node\n' });
  await writeFiles(cwd, { '.gitignore/in-the-way': '' });
  const before = await everything(cwd);
  await assert.rejects(make(cwd, { append: 'stack.yaml', handlerDir: 'deep/er/greet' }));
  assert.deepEqual(await everything(cwd), before);
  assert.deepEqual((await readdir(cwd)).sort(), ['.gitignore', 'stack.yaml']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinTemplatesDir } from '../../../cli/templates/builtin-dir.ts';
import { findTemplate, listTemplates } from '../../../cli/templates/find.ts';
import { builtinDir, createProject } from '../build/project.ts';

test('the templates that ship are found from where the program lies', () => {
  assert.equal(builtinTemplatesDir(), builtinDir);
});

test('a template in ./template wins over the one that ships', async (t) => {
  const cwd = await createProject(t, { 'template/node/template.yml': 'language: mine\nhandler_folder: src\n' });
  const own = await findTemplate('node', { cwd, builtinDir });
  assert.deepEqual([own.name, own.builtin, own.handlerFolder, own.config.language], ['node', false, 'src', 'mine']);
  const shipped = await findTemplate('bash', { cwd, builtinDir });
  assert.deepEqual([shipped.name, shipped.builtin, shipped.handlerFolder], ['bash', true, 'function']);
});

for (const [alias, name] of [
  ['node18', 'node'],
  ['node20', 'node'],
  ['node22', 'node'],
  ['python3-http', 'python3'],
] as const) {
  test(`${alias} stands for ${name}, unless ./template has it`, async (t) => {
    const cwd = await createProject(t);
    const found = await findTemplate(alias, { cwd, builtinDir });
    assert.deepEqual([found.requested, found.name, found.builtin], [alias, name, true]);
    const other = await createProject(t, { [`template/${alias}/template.yml`]: '' });
    const own = await findTemplate(alias, { cwd: other, builtinDir });
    assert.deepEqual([own.name, own.builtin], [alias, false]);
  });
}

test('the list has every name once, sorted, and says which are the project’s own', async (t) => {
  const cwd = await createProject(t, { 'template/node/template.yml': '', 'template/go/template.yml': '', 'template/file': '' });
  assert.deepEqual(await listTemplates({ cwd, builtinDir }), [
    { name: 'bash', builtin: true },
    { name: 'go', builtin: false },
    { name: 'node', builtin: false },
    { name: 'python3', builtin: true },
    { name: 'typescript', builtin: true },
  ]);
});

for (const [lang, message] of [
  ['typescrip', 'lang: no template called "typescrip"; there are bash, node, python3, typescript; did you mean typescript?'],
  [
    'cobol',
    'lang: no template called "cobol"; there are bash, node, python3, typescript; put other templates into ./template/<lang>',
  ],
  ['constructor', 'lang: no template called "constructor"'],
  ['../node', 'lang: expected the name of a template, got "../node"'],
  ['', 'lang: expected the name of a template, got nothing'],
  ['Dockerfile', 'lang: dockerfile builds a container image'],
] as const) {
  test(`the language ${JSON.stringify(lang)} is refused with what to do`, async (t) => {
    const cwd = await createProject(t);
    await assert.rejects(findTemplate(lang, { cwd, builtinDir }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'invalid');
      assert.ok(error.message.startsWith(message), error.message);
      return true;
    });
  });
}

test('environment values of template.yml stay as they are written', async (t) => {
  const cwd = await createProject(t, {
    'template/mine/template.yml':
      'mount_ssh: true\nbuild_options:\nsluice:\n  mode: http\n  environment: {A: 1.10, B: yes, C: 0x10}\n',
  });
  const { config } = await findTemplate('mine', { cwd, builtinDir });
  assert.deepEqual(config.sluice?.environment, { A: '1.10', B: 'yes', C: '0x10' });
  assert.equal(config.mount_ssh, true);
  assert.deepEqual(config.build_options, []);
});

for (const [what, text, message] of [
  ['is no YAML', 'a: [', /template\.yml: .* at line 1/],
  ['repeats a key', 'language: a\nlanguage: b\n', /template\.yml: Map keys must be unique at line 2/],
  ['names an unknown mode', 'sluice: {mode: fast}', /template\.yml: sluice\.mode: expected one of inproc, http, .*, got "fast"/],
  ['has an unknown key in its section', 'sluice: {mode: http, modus: x}', /template\.yml: sluice: .*modus/],
  [
    'has a handler folder outside',
    'handler_folder: ../../etc',
    /template\.yml: handler_folder: expected a folder of the template/,
  ],
] as const) {
  test(`a template.yml that ${what} is refused`, async (t) => {
    const cwd = await createProject(t, { 'template/mine/template.yml': text });
    await assert.rejects(findTemplate('mine', { cwd, builtinDir }), { code: 'invalid', message });
  });
}

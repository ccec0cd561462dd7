import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli } from '../run-cli.ts';

test('cli fact 63: new refuses a bad name, a folder that exists and a stack file that exists, and leaves nothing behind', async (t) => {
  const cwd = await makeTmpDir(t);
  const bad = await runCli(t, ['new', 'Bad_Name', '--lang', 'node'], { cwd });
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /name: expected at most 63 .* got "Bad_Name"/);
  assert.deepEqual(await readdir(cwd), []);
  assert.equal((await runCli(t, ['new', 'f', '--lang', 'node'], { cwd })).code, 0);
  assert.match((await runCli(t, ['new', 'f', '--lang', 'node'], { cwd })).stderr, /f exists already/);
  assert.match((await runCli(t, ['new', 'g', '--lang', 'node'], { cwd })).stderr, /--append stack\.yaml/);
  assert.deepEqual((await readdir(cwd)).sort(), ['.gitignore', 'f', 'stack.yaml']);
});

test('cli fact 64: new writes stack.yaml 0600, the folder 0700 and three lines of .gitignore', async (t) => {
  const cwd = await makeTmpDir(t);
  await runCli(t, ['new', 'f', '--lang', 'node', '-q'], { cwd });
  assert.equal((await stat(join(cwd, 'stack.yaml'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(cwd, 'f'))).mode & 0o777, 0o700);
  const lines = (await readFile(join(cwd, '.gitignore'), 'utf8')).split('\n');
  for (const line of ['template', 'build', '.secrets']) assert.ok(lines.includes(line), line);
});

test('cli facts 65 and 66: --append adds to a stack file, and the prefix is a flag or a variable', async (t) => {
  const cwd = await makeTmpDir(t);
  const env = { OPENFAAS_PREFIX: 'env.example.com/x', OPENFAAS_URL: 'http://gw:1' };
  await runCli(t, ['new', 'f', '--lang', 'node'], { cwd, env });
  await runCli(t, ['new', 'g', '--lang', 'node', '--append', 'stack.yaml', '-p', 'flag', '--memory-limit', '64Mi'], { cwd, env });
  const text = await readFile(join(cwd, 'stack.yaml'), 'utf8');
  assert.match(text, /gateway: http:\/\/gw:1/);
  assert.match(text, /image: env\.example\.com\/x\/f:latest/);
  assert.match(text, /image: flag\/g:latest/);
  assert.match(text, /memory: 64Mi/);
  assert.match((await runCli(t, ['new', 'g', '--lang', 'node', '--append', 'stack.yaml'], { cwd })).stderr, /^error: /);
  assert.match(
    (await runCli(t, ['new', 'h', '--lang', 'node', '--append', 'stack.txt'], { cwd })).stderr,
    /--append: expected a file/,
  );
});

test('new lists its templates, and suggests one for a misspelt language', async (t) => {
  const { stdout } = await runCli(t, ['new', '--list']);
  for (const name of ['node', 'typescript', 'python3', 'bash']) assert.match(stdout, new RegExp(`^- ${name}$`, 'm'));
  const { code, stderr } = await runCli(t, ['new', 'f', '--lang', 'typscript']);
  assert.equal(code, 1);
  assert.match(stderr, /did you mean typescript\?/);
});

test('new without a name and language shows its help, with only one of them says what is missing', async (t) => {
  const help = await runCli(t, ['new']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: sluice new/);
  assert.match((await runCli(t, ['new', 'f'])).stderr, /--lang: expected a template/);
  assert.match((await runCli(t, ['new', '--lang', 'node'])).stderr, /expected the name of the function/);
});

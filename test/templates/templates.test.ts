// Every template that ships, used as a person does: scaffolded, its own test run, built.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { scaffold } from '../../cli/templates/scaffold.ts';
import { build, builtinDir, createProject, plainEnv } from '../cli/build/project.ts';

const missing = (program: string): string | false =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? false : `${program} is not installed`;

const scaffolded = async (t: TestContext, lang: string): Promise<string> => {
  const cwd = await createProject(t);
  await scaffold({ name: 'greet', lang, cwd, builtinDir, gateway: 'http://127.0.0.1:8080' });
  return cwd;
};

for (const [lang, command, skip] of [
  ['node', [process.execPath, '--test'], false],
  ['typescript', [process.execPath, '--test'], false],
  ['python3', ['python3', '-m', 'unittest', 'handler_test'], missing('python3')],
  ['bash', ['bash', 'handler_test.sh'], missing('bash')],
] as const) {
  test(`a new ${lang} function passes its own test, by hand and in a build`, { skip }, async (t) => {
    const cwd = await scaffolded(t, lang);
    const [program = '', ...args] = command;
    execFileSync(program, args, { cwd: join(cwd, 'greet'), env: { ...plainEnv(), PYTHONDONTWRITEBYTECODE: '1' }, stdio: 'pipe' });
    const built = await build(cwd, { lang, test: true });
    assert.equal(built.config.language, lang);
    assert.deepEqual(built.lines.length, 1, built.lines.join('\n'));
  });
}

test('the built node handler answers an event', async (t) => {
  const cwd = await scaffolded(t, 'node');
  const { config } = await build(cwd, { lang: 'node' });
  const path = join(cwd, 'build/greet', config.handler ?? '');
  const handler = createRequire(path)(path) as (event: object, context: object) => Promise<unknown>;
  let answer: unknown;
  const context = { status: () => context, headers: () => context, succeed: (body: unknown) => (answer = body) };
  await handler({ body: 'Ada', headers: {}, method: 'POST', query: {}, path: '/' }, context);
  assert.equal(answer, 'Hello, Ada!\n');
});

test('the built TypeScript handler answers a request', async (t) => {
  const cwd = await scaffolded(t, 'typescript');
  const { config } = await build(cwd, { lang: 'typescript' });
  const module = (await import(pathToFileURL(join(cwd, 'build/greet', config.handler ?? '')).href)) as {
    default: (request: Request) => Promise<Response>;
  };
  const response = await module.default(new Request('http://localhost/?name=Ada'));
  assert.deepEqual(await response.json(), { message: 'Hello, Ada!' });
});

test('the built bash function answers its standard input from the root of its bundle', { skip: missing('bash') }, async (t) => {
  const cwd = await scaffolded(t, 'bash');
  const { config } = await build(cwd, { lang: 'bash' });
  const [program = '', ...args] = config.fprocess?.split(' ') ?? [];
  assert.equal(execFileSync(program, args, { cwd: join(cwd, 'build/greet'), input: 'Ada' }).toString(), 'Hello, Ada!\n');
});

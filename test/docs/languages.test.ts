import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { runProgram } from '../helpers/process.ts';
import { blocksOf, readPage } from './pages.ts';

const files: Readonly<Record<string, string>> = {
  typescript: 'handler.ts',
  node: 'handler.js',
  python3: 'handler.py',
  bash: 'handler.sh',
};

const hasPython = async (t: TestContext): Promise<boolean> => {
  try {
    return (await runProgram(t, 'python3', ['--version'])).code === 0;
  } catch {
    return false;
  }
};

const json = { 'Content-Type': 'application/json' };

const checkGreeting = async (gateway: RunningGateway, name: string): Promise<void> => {
  const made = await gateway.call(name, { method: 'POST', headers: json, body: '{"name":"Ada"}' });
  assert.deepEqual([made.status, JSON.parse(made.text)], [201, { greeting: 'Hello, Ada!' }], name);
  const refused = await gateway.call(name);
  assert.deepEqual([refused.status, refused.headers.allow, refused.text], [405, 'POST', 'expected POST\n'], name);
};

test('the handlers that docs/languages.md shows do what it says', { timeout: 90_000 }, async (t) => {
  const withPython = await hasPython(t);
  if (!withPython && process.env.CI !== undefined) assert.fail('python3 has to be there in CI');
  const wanted = Object.keys(files).filter((lang) => lang !== 'python3' || withPython);
  if (!withPython) t.diagnostic('without the Python handler: there is no python3 here');
  const gateway = await startGateway(t, { args: ['--sample=false'] });
  const cwd = join(gateway.home, 'functions');
  await mkdir(cwd);
  const blocks = blocksOf(await readPage('docs/languages.md'));
  for (const lang of wanted) {
    const append = lang === wanted[0] ? [] : ['--append', 'stack.yaml'];
    const made = await gateway.sluice(['new', lang, '--lang', lang, ...append], { cwd });
    assert.equal(made.code, 0, made.stderr);
    const shown = blocks.find((block) => block.info.endsWith(` file=${lang}`));
    assert.ok(shown, lang);
    await writeFile(join(cwd, lang, files[lang] ?? ''), shown.code);
  }
  const up = await gateway.sluice(['up'], { cwd });
  assert.equal(up.code, 0, up.stderr);

  for (const lang of wanted.filter((each) => each !== 'bash')) await checkGreeting(gateway, lang);
  const counted = await gateway.call('typescript', { path: '/count' });
  assert.equal(counted.headers['content-type'], 'text/event-stream');
  assert.equal(counted.text, 'data: 1\n\ndata: 2\n\ndata: 3\n\n');
  const greeted = await gateway.call('bash', { method: 'POST', path: '/a?b=1', body: 'Ada' });
  assert.equal(greeted.text, "Hello, Ada! You came with query 'b=1' to /a.\n");
  assert.equal((await gateway.call('bash')).status, 500);
});

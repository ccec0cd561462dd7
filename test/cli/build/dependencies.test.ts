import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { build, createProject, namesOf, plainEnv, writeFiles } from './project.ts';
import { type Registry, startRegistry } from './registry.ts';

const packages = {
  tiny: { 'index.js': 'module.exports = "tiny";\n' },
  'dev-only': { 'index.js': 'module.exports = "dev";\n', 'index.d.ts': 'declare const text: string;\nexport default text;\n' },
};

const start = async (t: TestContext, manifest: object, files: Readonly<Record<string, string>> = {}) => {
  const registry = await startRegistry(t, packages);
  const cwd = await createProject(t, { 'greet/package.json': JSON.stringify({ private: true, ...manifest }), ...files });
  const env = { ...plainEnv(), npm_config_registry: registry.url, npm_config_cache: join(cwd, '.npm-cache') };
  return { registry, cwd, env };
};

const lockOf = (registry: Registry): string =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { tiny: '^1.0.0' } },
      'node_modules/tiny': {
        version: '1.0.0',
        resolved: `${registry.url}/tiny/1.0.0.tgz`,
        integrity: registry.integrity('tiny'),
      },
    },
  });

const loadTiny = (cwd: string): unknown => createRequire(join(cwd, 'build/greet/function/handler.js'))('tiny');

test('dependencies are in the bundle, development dependencies are not', async (t) => {
  const { cwd, env } = await start(t, { dependencies: { tiny: '^1.0.0' }, devDependencies: { 'dev-only': '1.0.0' } });
  const built = await build(cwd, { lang: 'node', env });
  assert.equal(loadTiny(cwd), 'tiny');
  const names = (await namesOf(built.file)).filter((name) => /node_modules|lock/.test(name));
  assert.deepEqual(names, [
    'function/node_modules',
    'function/node_modules/tiny',
    'function/node_modules/tiny/index.js',
    'function/node_modules/tiny/package.json',
  ]);
});

test('unchanged package files use the packages of the last build, with the same digest and no request', async (t) => {
  const { cwd, env, registry } = await start(t, { dependencies: { tiny: '^1.0.0' } });
  const first = await build(cwd, { lang: 'node', env });
  await rm(join(cwd, '.npm-cache'), { recursive: true });
  const before = registry.requests.length;
  const second = await build(cwd, { lang: 'node', env });
  assert.equal(registry.requests.length, before);
  assert.equal(second.digest, first.digest);
  assert.deepEqual(second.lines, ['greet: packages unchanged, using those of the last build']);
  await writeFiles(cwd, { 'greet/package.json': JSON.stringify({ dependencies: { tiny: '1.0.0' } }) });
  await build(cwd, { lang: 'node', env });
  assert.ok(registry.requests.length > before);
});

test('a template of OpenFaaS has its own packages beside those of the function', async (t) => {
  const { cwd, env } = await start(
    t,
    { dependencies: { 'dev-only': '1.0.0' } },
    {
      'template/node20/template.yml': 'language: node20\nfprocess: node index.js\n',
      'template/node20/Dockerfile': 'FROM node:20\nENV mode="http" upstream_url="http://127.0.0.1:3000"\n',
      'template/node20/index.js': 'require("tiny");\n',
      'template/node20/package.json': '{"dependencies": {"tiny": "1.0.0"}}',
    },
  );
  const { config, file } = await build(cwd, { lang: 'node20', env });
  assert.deepEqual(config, {
    version: 1,
    language: 'node20',
    mode: 'http',
    fprocess: 'node index.js',
    environment: { upstream_url: 'http://127.0.0.1:3000' },
  });
  const names = await namesOf(file);
  assert.ok(names.includes('node_modules/tiny/index.js'));
  assert.ok(names.includes('function/node_modules/dev-only/index.js'));
});

test('build arguments are in the environment of the installation', async (t) => {
  const { cwd, env, registry } = await start(t, { dependencies: { tiny: '^1.0.0' } });
  await build(cwd, {
    lang: 'node',
    env: { ...env, npm_config_registry: 'http://127.0.0.1:1' },
    buildArgs: { npm_config_registry: registry.url },
  });
  assert.equal(loadTiny(cwd), 'tiny');
});

test('a lock file is obeyed by npm ci, in any directory with one digest', async (t) => {
  const { cwd, env, registry } = await start(t, { dependencies: { tiny: '^1.0.0' } });
  await writeFiles(cwd, { 'greet/package-lock.json': lockOf(registry) });
  const { digest, lines } = await build(cwd, { lang: 'node', env });
  assert.deepEqual(lines, ['greet: npm ci --omit=dev --no-audit --no-fund']);
  const other = await createProject(t, {
    'greet/package.json': await readFile(join(cwd, 'greet/package.json'), 'utf8'),
    'greet/package-lock.json': lockOf(registry),
  });
  assert.equal((await build(other, { lang: 'node', env })).digest, digest);
});

test('an installation that fails shows what npm said, also where npm is to be silent, and keeps nothing', async (t) => {
  const { cwd, env } = await start(t, { dependencies: { absent: '^1.0.0' } });
  const silent = { ...env, npm_config_loglevel: 'silent' };
  await assert.rejects(build(cwd, { lang: 'node', env: silent }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'invalid');
    assert.match(error.message, /^greet: npm install .* failed with exit code 1:\n[\s\S]*E404[\s\S]*absent/);
    return true;
  });
  await assert.rejects(readdir(join(cwd, 'build/.cache/greet')), { code: 'ENOENT' });
});

test('a TypeScript function is checked with its development dependencies and packed without them', async (t) => {
  const source = 'import text from "dev-only";\nexport type Text = typeof text;\nexport default () => new Response("x");\n';
  const manifest = { type: 'module', devDependencies: { 'dev-only': '1.0.0' } };
  const { cwd, env } = await start(t, manifest, { 'greet/handler.ts': source.replace('import text', 'import type text') });
  const built = await build(cwd, { lang: 'typescript', env });
  assert.deepEqual(
    (await namesOf(built.file)).filter((name) => name.includes('node_modules')),
    [],
  );
});

test('a package from a folder of the function is linked inside the bundle and never taken from the cache', async (t) => {
  const { cwd, env } = await start(
    t,
    { dependencies: { local: 'file:./local' } },
    { 'greet/local/package.json': '{"name":"local","version":"1.0.0"}', 'greet/local/index.js': 'module.exports = 1;\n' },
  );
  const { file } = await build(cwd, { lang: 'node', env });
  assert.ok((await namesOf(file)).includes('function/node_modules/local'));
  await writeFiles(cwd, { 'greet/local/index.js': 'module.exports = 2;\n' });
  await build(cwd, { lang: 'node', env });
  assert.equal(createRequire(join(cwd, 'build/greet/function/handler.js'))('local'), 2);
});

for (const [what, text, message] of [
  ['no JSON', '{', /^greet\/package\.json: expected JSON/],
  ['no package file', '{"dependencies": ["tiny"]}', /^greet\/package\.json: dependencies: /],
] as const) {
  test(`a package.json that is ${what} is refused`, async (t) => {
    const cwd = await createProject(t, { 'greet/package.json': text });
    await assert.rejects(build(cwd, { lang: 'node' }), { code: 'invalid', message });
  });
}

const pythonProblem = (() => {
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'python3 with pip is not installed';
  }
})();

test('Python packages are installed into the bundle, where Python finds them', { skip: pythonProblem }, async (t) => {
  const cwd = await createProject(t, {
    'greet/requirements.txt': '# ours\n./tiny-1.0-py3-none-any.whl\n',
    'greet/handler.py': 'import tiny\n\n\ndef handle(event, context):\n    return tiny.text\n',
  });
  const wheel = [
    'import sys, zipfile',
    'with zipfile.ZipFile(sys.argv[1], "w") as z:',
    '    z.writestr("tiny.py", "text = \\"tiny\\"\\n")',
    '    z.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")',
    '    z.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")',
    '    z.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\\ntiny-1.0.dist-info/METADATA,,\\ntiny-1.0.dist-info/WHEEL,,\\n")',
  ];
  execFileSync('python3', ['-c', wheel.join('\n'), join(cwd, 'greet/tiny-1.0-py3-none-any.whl')]);
  const built = await build(cwd, { lang: 'python3', env: { ...plainEnv(), PIP_NO_INDEX: '1' } });
  assert.equal(built.config.environment?.PYTHONPATH, 'python-packages');
  const said = execFileSync('python3', ['-c', 'import tiny; print(tiny.text)'], {
    cwd: join(cwd, 'build/greet'),
    env: { ...plainEnv(), ...built.config.environment },
  });
  assert.equal(said.toString(), 'tiny\n');
  assert.ok((await namesOf(built.file)).includes('python-packages/tiny.py'));
});

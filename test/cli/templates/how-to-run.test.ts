import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readDockerfile } from '../../../cli/templates/dockerfile-environment.ts';
import { findTemplate } from '../../../cli/templates/find.ts';
import { howToRun } from '../../../cli/templates/how-to-run.ts';
import { builtinDir, createProject } from '../build/project.ts';

const howToRunOf = async (t: TestContext, files: Readonly<Record<string, string>>) => {
  const inTemplate = Object.entries(files).map(([path, text]) => [`template/mine/${path}`, text]);
  const cwd = await createProject(t, Object.fromEntries(inTemplate));
  return howToRun(await findTemplate('mine', { cwd, builtinDir }));
};

const dockerfile = `
FROM --platform=\${TARGETPLATFORM:-linux/amd64} registry.example/of-watchdog:0.10.9 AS watchdog
FROM node:20-alpine AS ship
ARG VERSION
ENV NPM_CONFIG_LOGLEVEL warn
ENV BUILT=\${VERSION}
ENV cgi_headers="true" \\
    fprocess="node index.js"
RUN chmod 777 /tmp
FROM other AS unrelated
ENV mode="static"
FROM ship
ENV mode="http"
ENV upstream_url="http://127.0.0.1:3000"
# ENV exec_timeout="1s"
ENV exec_timeout=10s
CMD ["fwatchdog"]
`;

test('the environment of a Dockerfile is that of its last stage and the stages that it builds on', () => {
  assert.deepEqual(readDockerfile(dockerfile), {
    environment: {
      cgi_headers: 'true',
      fprocess: 'node index.js',
      mode: 'http',
      upstream_url: 'http://127.0.0.1:3000',
      exec_timeout: '10s',
    },
    isClassicWatchdog: false,
  });
});

for (const [line, expected] of [
  ['ENV a=b c="d e" f=g\\ h', { a: 'b', c: 'd e', f: 'g h' }],
  ['ENV a b c', { a: 'b c' }],
  ["env a='b'", { a: 'b' }],
  ['ENV PATH=/x HOME=/y a=b', { a: 'b' }],
] as const) {
  test(`${line} is read as Docker reads it`, () => {
    assert.deepEqual(readDockerfile(`FROM x\n${line}\n`).environment, expected);
  });
}

test('a template of OpenFaaS that runs a script of its own runs from its Dockerfile’s settings', async (t) => {
  assert.deepEqual(await howToRunOf(t, { 'template.yml': 'language: node20\n', Dockerfile: dockerfile, 'index.js': '' }), {
    mode: 'http',
    fprocess: 'node index.js',
    environment: { cgi_headers: 'true', upstream_url: 'http://127.0.0.1:3000', exec_timeout: '10s' },
  });
});

test('a template for the classic watchdog runs one process per call', async (t) => {
  const text = 'FROM registry.example/classic-watchdog:0.3.3 AS watchdog\nFROM php:8\nENV fprocess="php index.php"\n';
  const section = await howToRunOf(t, { 'template.yml': '', Dockerfile: text, 'index.php': '' });
  assert.deepEqual([section.mode, section.fprocess], ['serializing', 'php index.php']);
});

test('the sluice section wins over the Dockerfile', async (t) => {
  const section = await howToRunOf(t, {
    'template.yml': 'fprocess: ruby index.rb\nsluice: {mode: http}\n',
    Dockerfile: dockerfile,
  });
  assert.deepEqual(section, { mode: 'http', fprocess: 'ruby index.rb' });
});

for (const [what, files, message] of [
  [
    'has to be compiled',
    { Dockerfile: 'FROM x\nENV fprocess="./handler" mode=http\n' },
    /fprocess "\.\/handler" is not a script of the template/,
  ],
  ['has no Dockerfile', {}, /neither a sluice section in template\.yml nor a Dockerfile/],
  ['names no command', { Dockerfile: 'FROM x\n' }, /names no fprocess/],
  ['brings its own watchdog', { Dockerfile: 'FROM x\nENV mode=inproc fprocess=a.js\n', 'a.js': '' }, /sets mode "inproc"/],
  ['leaves its folder', { Dockerfile: 'FROM x\nENV fprocess="node ../../package.json"\n' }, /is not a script of the template/],
] as const) {
  test(`a template that ${what} is refused with what to add`, async (t) => {
    await assert.rejects(howToRunOf(t, { 'template.yml': '', ...files }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'invalid');
      assert.match(error.message, message);
      assert.match(error.message, /This gateway runs bundles, not images; add a section such as `sluice: \{ mode: http/);
      return true;
    });
  });
}

test('a section without what its mode needs is refused', async (t) => {
  await assert.rejects(howToRunOf(t, { 'template.yml': 'sluice: {mode: inproc}\n' }), /sluice\.handler: expected the module/);
  await assert.rejects(howToRunOf(t, { 'template.yml': 'sluice: {mode: http}\n' }), /fprocess: expected the command to run/);
});

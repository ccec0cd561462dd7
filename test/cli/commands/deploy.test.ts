import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { accepting, inStack, writes } from '../deploy-gateway.ts';
import { runCli, startGateway } from '../run-cli.ts';

const image = ['deploy', '--image', 'reg/x:1', '--name', 'hello'];

test('cli facts 18 and 23: deploy sends PUT, then POST with the same body when there is no such function', async (t) => {
  const gateway = await startGateway(
    t,
    accepting((seen) => (seen.method === 'PUT' ? { status: 404 } : undefined)),
  );
  const { code, stdout } = await runCli(t, [...image, '-g', gateway.url]);
  assert.equal(code, 0);
  assert.deepEqual(writes(gateway.calls()), ['PUT /system/functions', 'POST /system/functions']);
  const [put, post] = gateway.seen.filter((seen) => seen.method !== 'GET');
  assert.equal(put?.body, '{"service":"hello","image":"reg/x:1","labels":{},"annotations":{}}');
  assert.equal(post?.body, put?.body);
  assert.equal(put?.headers['content-type'], 'application/json');
  assert.equal(stdout, `Deployed. 202 Accepted.\nURL: ${gateway.url}/function/hello\n`);
});

test('cli fact 19: --update=false sends only POST', async (t) => {
  const gateway = await startGateway(t, accepting());
  await runCli(t, [...image, '--update=false', '-g', gateway.url]);
  assert.deepEqual(writes(gateway.calls()), ['POST /system/functions']);
});

test('cli fact 20: --replace sends DELETE then POST, with and without --update=false', async (t) => {
  for (const flags of [['--replace'], ['--replace', '--update=false']]) {
    const gateway = await startGateway(
      t,
      accepting((seen) => (seen.method === 'DELETE' ? { status: 404 } : undefined)),
    );
    assert.equal((await runCli(t, [...image, ...flags, '-n', 'ns', '-g', gateway.url])).code, 0);
    assert.deepEqual(writes(gateway.calls()), ['DELETE /system/functions', 'POST /system/functions']);
    assert.equal(gateway.seen.find((seen) => seen.method === 'DELETE')?.body, '{"functionName":"hello","namespace":"ns"}');
  }
});

test('cli fact 22: one failure stops no other function, is told with its status, and the exit code is 1', async (t) => {
  const gateway = await startGateway(
    t,
    accepting((seen) =>
      seen.body.includes('"service":"bad"') ? { status: 400, body: 'limits.memory: expected an amount' } : undefined,
    ),
  );
  const cwd = await inStack(t, '  a: {image: a}\n  bad: {image: b}\n  c: {image: c}\n');
  const { code, stdout, stderr } = await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  assert.equal(code, 1);
  assert.equal(stdout.match(/Deployed\./g)?.length, 2);
  assert.match(stderr, /error: deploying bad: 400: limits\.memory: expected an amount\n1 of 3 functions failed/);
});

test('cli facts 24, 28 and 29: limits, secrets and constraints of the stack file reach the wire', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(
    t,
    '  f: {image: a, limits: {memory: 128}, requests: {}, secrets: [one, two], constraints: [a==b], readonly_root_filesystem: true}\n',
  );
  await runCli(t, ['deploy', '-g', gateway.url, '--secret', 'three', '--secret', 'one', '--constraint', 'x==y'], { cwd });
  assert.deepEqual(JSON.parse(gateway.seen.find((seen) => seen.method === 'PUT')?.body ?? ''), {
    service: 'f',
    image: 'a:latest',
    constraints: ['a==b'],
    secrets: ['three', 'one', 'two'],
    labels: {},
    annotations: {},
    limits: { memory: '128' },
    readOnlyRootFilesystem: true,
  });
});

test('cli facts 25 and 26: the environment is stack file, then environment files in order, then flags', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(
    t,
    '  f: {image: a, environment: {A: stack, B: stack, C: stack, D: stack}, environment_file: [one.yml, two.yml]}\n',
  );
  await writeFile(join(cwd, 'one.yml'), 'environment: {B: one, C: one, D: one}\n');
  await writeFile(join(cwd, 'two.yml'), 'environment: {C: 1.10, D: two}\n');
  await runCli(t, ['deploy', '-g', gateway.url, '-e', 'D=x=y', '--env=E=1'], { cwd });
  const body = JSON.parse(gateway.seen.find((seen) => seen.method === 'PUT')?.body ?? '');
  assert.deepEqual(body.envVars, { A: 'stack', B: 'one', C: '1.10', D: 'x=y', E: '1' });
});

test('an environment file that is missing or broken is named with its place', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(t, '  f: {image: a, environment_file: [one.yml]}\n');
  const missing = await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /stack\.yaml:3:17: functions\.f\.environment_file: cannot read one\.yml: there is no such file/);
  await writeFile(join(cwd, 'one.yml'), 'environment:\n  - A\n');
  const broken = await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  assert.match(broken.stderr, /one\.yml:2:3: environment: expected a mapping/);
  assert.deepEqual(writes(gateway.calls()), []);
});

test('cli fact 27: a flag with an empty key or value fails before anything is sent', async (t) => {
  const gateway = await startGateway(t, accepting());
  for (const flags of [
    ['-e', 'X='],
    ['--label', '=X'],
    ['--annotation', 'novalue'],
  ]) {
    const { code, stderr } = await runCli(t, [...image, ...flags, '-g', gateway.url]);
    assert.equal(code, 1);
    assert.match(stderr, /expected key=value, got/);
  }
  assert.equal(gateway.seen.length, 0);
});

test('cli facts 30 and 31: the command comes from the template unless told otherwise, and a missing template fails', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(t, '  f: {image: a, lang: mine}\n  g: {image: a, lang: mine, fprocess: own}\n');
  const missing = await runCli(t, ['deploy', '-g', gateway.url, '--filter', 'f'], { cwd });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no template called "mine"/);
  assert.equal((await runCli(t, ['deploy', '-g', gateway.url, '--read-template=false', '--filter', 'f'], { cwd })).code, 0);
  await mkdir(join(cwd, 'template/mine'), { recursive: true });
  await writeFile(join(cwd, 'template/mine/template.yml'), 'language: mine\nfprocess: run me\n');
  await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  const sent = gateway.seen.filter((seen) => seen.method === 'PUT').map((seen) => JSON.parse(seen.body).envProcess);
  assert.deepEqual(sent.slice(0, 1), [undefined]);
  assert.deepEqual(new Set(sent.slice(1)), new Set(['run me', 'own']));
});

test('cli fact 32: -n wins over the namespace of the stack file and is in the URL', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(t, '  f: {image: a, namespace: stack}\n');
  const { stdout } = await runCli(t, ['deploy', '-g', gateway.url, '-n', 'flag'], { cwd });
  assert.match(stdout, /\/function\/f\.flag\n/);
  assert.equal(JSON.parse(gateway.seen.find((seen) => seen.method === 'PUT')?.body ?? '').namespace, 'flag');
  assert.match((await runCli(t, ['deploy', '-g', gateway.url], { cwd })).stdout, /\/function\/f\.stack\n/);
});

test('cli fact 33: image mode sends the image verbatim, stack mode appends latest', async (t) => {
  const gateway = await startGateway(t, accepting());
  await runCli(t, ['deploy', '--image', 'reg:5000/x', '--name', 'f', '-g', gateway.url]);
  const cwd = await inStack(t, '  f: {image: "reg:5000/x"}\n');
  await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  const images = gateway.seen.filter((seen) => seen.method === 'PUT').map((seen) => JSON.parse(seen.body).image);
  assert.deepEqual(images, ['reg:5000/x', 'reg:5000/x:latest']);
});

test('cli fact 34: --network never reaches the wire', async (t) => {
  const gateway = await startGateway(t, accepting());
  assert.equal((await runCli(t, [...image, '--network', 'n', '-g', gateway.url])).code, 0);
  assert.ok(!gateway.seen.some((seen) => seen.body.includes('network')));
});

test('on a gateway that runs bundles, deploy uploads what was built and deploys it by its digest', async (t) => {
  const tar = Buffer.from('a tar');
  const digest = createHash('sha256').update(tar).digest('hex');
  let has = false;
  const info = {
    provider: {
      provider: 'process',
      orchestration: 'process',
      version: { sha: 'x', release: '1' },
      capabilities: { packaging: 'bundle' },
    },
  };
  const gateway = await startGateway(
    t,
    accepting((seen) => {
      if (seen.path === '/system/info') return { json: info };
      if (seen.path !== `/system/bundles/${digest}`) return undefined;
      if (seen.method === 'HEAD') return { status: has ? 200 : 404 };
      has = true;
      return { status: 202 };
    }),
  );
  const cwd = await inStack(t, '  f: {image: "team/f:2", lang: node}\n');
  const unbuilt = await runCli(t, ['deploy', '-g', gateway.url], { cwd });
  assert.equal(unbuilt.code, 1);
  assert.match(unbuilt.stderr, /f: there is no build\/f\.tar; build it with `sluice build`/);
  await mkdir(join(cwd, 'build'));
  await writeFile(join(cwd, 'build/f.tar'), tar);
  assert.equal((await runCli(t, ['deploy', '-g', gateway.url], { cwd })).code, 0);
  assert.equal((await runCli(t, ['deploy', '-g', gateway.url], { cwd })).code, 0);
  assert.deepEqual(writes(gateway.calls()), [
    `HEAD /system/bundles/${digest}`,
    `PUT /system/bundles/${digest}`,
    'PUT /system/functions',
    `HEAD /system/bundles/${digest}`,
    'PUT /system/functions',
  ]);
  const upload = gateway.seen.find((seen) => seen.method === 'PUT');
  assert.equal(upload?.body, 'a tar');
  assert.equal(upload?.headers['content-length'], '5');
  const body = JSON.parse(gateway.seen.at(-2)?.body || gateway.seen.at(-1)?.body || '{}');
  assert.equal(body.image, `team/f:2@sha256:${digest}`);
});

test('deploy without a stack file or image says what it needs', async (t) => {
  const { code, stderr } = await runCli(t, ['deploy']);
  assert.equal(code, 1);
  assert.match(stderr, /nothing to deploy: expected a stack file \(-f stack\.yaml\), or --image and --name/);
});

import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli, startGateway } from '../run-cli.ts';

const project = async (t: Parameters<typeof makeTmpDir>[0], functions = ['f']): Promise<string> => {
  const cwd = await makeTmpDir(t);
  for (const [index, name] of functions.entries()) {
    await runCli(t, ['new', name, '--lang', 'bash', ...(index === 0 ? [] : ['--append', 'stack.yaml'])], { cwd });
  }
  return cwd;
};

test('build prints the image of every function in the order of the file and leaves its bundle', async (t) => {
  const cwd = await project(t, ['zz', 'aa']);
  const { code, stdout } = await runCli(t, ['build'], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^zz:latest@sha256:[0-9a-f]{64}\naa:latest@sha256:[0-9a-f]{64}\n$/);
  assert.ok((await stat(join(cwd, 'build/zz.tar'))).size > 0);
});

test('build says where the bundle is and what its name is good for, on standard error', async (t) => {
  const cwd = await project(t);
  const { stdout, stderr } = await runCli(t, ['build'], { cwd });
  assert.match(stderr, /f: built, \d+ KiB in build\/f\.tar\n/);
  assert.match(
    stderr,
    /the digests are those of bundles: `sluice push` uploads them .* for one that runs images it makes an image/,
  );
  assert.ok(!stdout.includes('sluice push'));
  const settled = await runCli(t, ['build', '--packaging', 'bundle'], { cwd });
  assert.equal(settled.stdout, stdout);
  assert.ok(!settled.stderr.includes('sluice push'), settled.stderr);
  assert.ok(!(await runCli(t, ['build', '--quiet'], { cwd })).stderr.includes('sluice push'));
});

test('build --packaging image prints the name that push will write, not the digest of the bundle', async (t) => {
  const cwd = await project(t);
  const argv = ['build', '--packaging', 'image'];
  const bare = await runCli(t, argv, { cwd });
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /image: expected a name with its registry or user/);
  const env = { PATH: process.env.PATH, OPENFAAS_PREFIX: 'registry.example.com/team' };
  const { code, stdout, stderr } = await runCli(t, argv, { cwd, env });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'registry.example.com/team/f:latest\n');
  assert.match(stderr, /`sluice push --packaging image` makes the images and prints their names with digests\n/);
});

test('build without a stack file takes four flags, and says which is missing', async (t) => {
  const cwd = await project(t);
  await rm(join(cwd, 'stack.yaml'));
  const argv = ['build', '--image', 'x:1', '--handler', './f', '--name', 'f'];
  const missing = await runCli(t, argv, { cwd });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nothing to build: .* --lang/);
  assert.match((await runCli(t, [...argv, '--lang', 'bash'], { cwd })).stdout, /^x:1@sha256:/);
});

test('cli fact 80: --shrinkwrap only writes the build directory', async (t) => {
  const cwd = await project(t);
  const { stdout } = await runCli(t, ['build', '--shrinkwrap'], { cwd });
  assert.equal(stdout.trim(), join(cwd, 'build/f'));
  await assert.rejects(stat(join(cwd, 'build/f.tar')));
});

test('skip_build is honoured, and one bad function does not hide the good one', async (t) => {
  const cwd = await project(t, ['good', 'skipped']);
  const text = await readFile(join(cwd, 'stack.yaml'), 'utf8');
  const more = '    skip_build: true\n  bad:\n    lang: bash\n    handler: ./nowhere\n    image: bad:latest\n';
  await writeFile(join(cwd, 'stack.yaml'), `${text.trimEnd()}\n${more}`);
  const { code, stdout, stderr } = await runCli(t, ['build'], { cwd });
  assert.equal(code, 1);
  assert.match(stdout, /^good:latest@sha256:\w+\n$/);
  assert.match(stderr, /skipped: skip_build is set\n/);
  assert.match(stderr, /error: .*nowhere.*\n1 of 2 functions failed/);
});

test('a malformed --build-arg is an error, and flags of Docker are said to have no effect', async (t) => {
  const cwd = await project(t);
  const bad = await runCli(t, ['build', '-b', 'novalue'], { cwd });
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /--build-arg: expected key=value, got "novalue"/);
  const { code, stderr } = await runCli(t, ['build', '--no-cache', '--squash', '--pull=false'], { cwd });
  assert.equal(code, 0);
  assert.match(stderr, /warning: --cache=false has no effect/);
  assert.match(stderr, /warning: --squash has no effect/);
  assert.ok(!stderr.includes('--pull'));
});

test('an unknown --tag and a tag of git outside a repository are errors', async (t) => {
  const cwd = await project(t);
  assert.match((await runCli(t, ['build', '--tag', 'nice'], { cwd })).stderr, /--tag: expected one of latest, sha/);
  const env = { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: cwd };
  const outside = await runCli(t, ['build', '--tag', 'sha'], { cwd, env });
  assert.equal(outside.code, 1);
  assert.match(outside.stderr, /--tag: expected a git repository/);
});

test('up --skip-deploy stops before the deployment', async (t) => {
  const cwd = await project(t);
  const info = { provider: { capabilities: { packaging: 'bundle' } }, version: {}, arch: 'amd64' };
  const bundles = await startGateway(t, (seen) =>
    seen.path === '/system/info' ? { json: info } : seen.method === 'PUT' ? { status: 201 } : undefined,
  );
  const { code, stdout } = await runCli(t, ['up', '--skip-deploy', '-g', bundles.url], { cwd });
  assert.equal(code, 0);
  assert.match(stdout, /^f:latest@sha256:(\w+)\n$/);
  const digest = stdout.trim().split('@sha256:')[1];
  assert.deepEqual(bundles.calls(), ['GET /system/info', `HEAD /system/bundles/${digest}`, `PUT /system/bundles/${digest}`]);
});

test('up --skip-deploy --output json is JSON', async (t) => {
  const cwd = await project(t);
  const info = { provider: { capabilities: { packaging: 'bundle' } }, version: {}, arch: 'amd64' };
  const gateway = await startGateway(t, (seen) =>
    seen.path === '/system/info' ? { json: info } : seen.method === 'PUT' ? { status: 201 } : undefined,
  );
  const { stdout } = await runCli(t, ['up', '--skip-deploy', '--output', 'json', '-g', gateway.url], { cwd });
  const [built] = JSON.parse(stdout) as { name: string; image: string }[];
  assert.equal(built?.name, 'f');
  assert.match(built?.image ?? '', /^f:latest@sha256:\w+$/);
});

test('up --shrinkwrap only writes the build directories and asks no gateway', async (t) => {
  const cwd = await project(t);
  const gateway = await startGateway(t, () => ({ status: 500 }));
  const { code, stdout, stderr } = await runCli(t, ['up', '--shrinkwrap', '-g', gateway.url], { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim(), join(cwd, 'build/f'));
  assert.deepEqual(gateway.calls(), []);
  await assert.rejects(stat(join(cwd, 'build/f.tar')));
});

test('an upload that the gateway refuses is told with its reason', async (t) => {
  const cwd = await project(t);
  await runCli(t, ['build'], { cwd });
  const gateway = await startGateway(t, (seen) =>
    seen.method === 'PUT' ? { status: 413, body: 'at most 10 bytes' } : { status: 404 },
  );
  const { code, stderr } = await runCli(t, ['push', '-g', gateway.url], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /error: uploading .*f\.tar: 413: at most 10 bytes/);
});

test('a stack file without functions is told from one that is not there', async (t) => {
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'mine.yaml'), 'provider: {name: openfaas}\nfunctions: {}\n');
  for (const [command = '', doing] of [['up', 'bring up'], ['build'], ['push'], ['deploy']]) {
    const { code, stderr } = await runCli(t, [command, '-f', 'mine.yaml'], { cwd });
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `error: nothing to ${doing ?? command}: mine.yaml: functions: expected at least one function, got none; ` +
        'add one with `sluice new NAME --lang LANG --append mine.yaml`\n',
    );
  }
});

test('up and push without a stack file say what to do', async (t) => {
  assert.match((await runCli(t, ['up'])).stderr, /there is no stack\.yaml here; make a function with `sluice new`/);
  assert.match((await runCli(t, ['push'])).stderr, /nothing to push: expected a stack file/);
});

// The whole way of a new user: the real gateway as a process, the real command, real functions.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { sluice } from '../helpers/gateway.ts';
import { runProgram, startProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { runCli } from './run-cli.ts';

const path = process.env.PATH ?? '/usr/bin:/bin';
const flags = ['gateway', '--port', '0', '--metrics-port', '0', '--pool-size', '0'];

const hasCurl = await promisify(execFile)('curl', ['--version']).then(
  () => true,
  () => false,
);

test('the first start prints address, user, password and a call that works; up, invoke and the rest need no login', async (t) => {
  const home = await makeTmpDir(t);
  const gateway = startProgram(t, process.execPath, [sluice, ...flags], { env: { HOME: home, PATH: path }, cwd: home });
  const url = (await gateway.until(/^gateway +(http:\/\/127\.0\.0\.1:\d+)$/m))[1] ?? '';
  const password = (await gateway.until(/^password +(\S{32,})$/m))[1] ?? '';
  const line = (await gateway.until(/^try it: +(.+)$/m))[1] ?? '';
  assert.equal(gateway.stdout().match(/^user +(\S+)$/m)?.[1], 'admin');
  assert.equal((await readFile(join(home, '.sluice/credentials/basic-auth-password'), 'utf8')).trim(), password);
  if (hasCurl) assert.equal((await promisify(execFile)('sh', ['-c', `${line} -sS`])).stdout, 'Hello, Ada!\n');
  else t.diagnostic('curl is not installed: the printed line was not run');

  const cwd = await makeTmpDir(t);
  const env = { OPENFAAS_URL: url, PATH: path, HOME: home };
  const cli = (argv: string[], stdin?: string) => runCli(t, argv, { env, home, cwd, ...(stdin === undefined ? {} : { stdin }) });
  await t.test('new, up and invoke', async () => {
    const made = await cli(['new', 'greet', '--lang', 'node', '-q']);
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await stat(join(cwd, 'stack.yaml'))).mode & 0o777, 0o600);
    const up = await cli(['up']);
    assert.equal(up.code, 0, up.stderr);
    assert.equal(up.stdout, `Deployed. 202 Accepted.\nURL: ${url}/function/greet\n`);
    assert.match(up.stderr, /using the credentials of the gateway's data directory ~\/\.sluice/);
    assert.equal((await cli(['invoke', 'greet'], 'you')).stdout, 'Hello, you!\n');
  });
  await t.test('a changed function answers its new version when up returns', async () => {
    await writeFile(join(cwd, 'greet/handler.js'), "module.exports = async () => 'version two';\n");
    const up = await cli(['up']);
    assert.equal(up.code, 0, up.stderr);
    assert.equal((await cli(['invoke', 'greet'])).stdout, 'version two');
  });
  await t.test('a function that does not load is explained, and the version before goes on', async () => {
    await writeFile(join(cwd, 'greet/handler.js'), "throw new Error('no way');\n");
    const up = await cli(['up']);
    assert.equal(up.code, 1);
    assert.match(up.stderr, /greet is deployed but does not work: \w+: [\s\S]*no way/);
    assert.equal((await cli(['invoke', 'greet'])).stdout, 'version two');
    const described = await cli(['describe', 'greet']);
    assert.match(described.stdout, /Healthy: False, /);
  });
  await t.test('list, logs, scale, secrets, namespaces, remove', async () => {
    assert.equal((await cli(['list', '-q'])).stdout, 'greet\nhello\n');
    assert.match((await cli(['logs', 'hello', '--tail=false'])).stdout, /started/);
    assert.equal((await cli(['scale', 'hello', '2'])).code, 0);
    assert.equal((await cli(['secret', 'create', 'key', '--from-literal', 'v'])).code, 0);
    assert.match((await cli(['secret', 'list'])).stdout, /\nkey\n/);
    assert.equal((await cli(['namespace', 'create', 'photos'])).code, 0);
    assert.match((await cli(['namespaces'])).stdout, / - photos\n/);
    assert.equal((await cli(['remove', 'greet'])).code, 0);
    assert.equal((await cli(['list', '-q'])).stdout, 'hello\n');
    assert.equal((await cli(['remove', 'greet'])).code, 1);
    assert.match((await cli(['version'])).stdout, /packaging: +bundle/);
  });
  gateway.kill('SIGTERM');
  assert.deepEqual(await gateway.exited, { code: 0, signal: null });

  const again = startProgram(t, process.execPath, [sluice, ...flags], { env: { HOME: home, PATH: path }, cwd: home });
  await again.until(/^try it: +curl /m);
  assert.match(again.stdout(), /password +kept in .*basic-auth-password/);
  assert.ok(!again.stdout().includes(password));
  again.kill('SIGINT');
  assert.deepEqual(await again.exited, { code: 0, signal: null });
});

test('a gateway with bad settings does not start, and all of them are named at once', async (t) => {
  const home = await makeTmpDir(t);
  const argv = [sluice, 'gateway', '--port', 'many', '--hots', 'x'];
  const ended = await runProgram(t, process.execPath, argv, { env: { HOME: home, PATH: path }, cwd: home });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^error: .*--hots: unknown flag.*--port: expected/);
});

test('sluice gateway --help lists the settings with their variables', async (t) => {
  const { code, stdout } = await runCli(t, ['gateway', '--help']);
  assert.equal(code, 0);
  assert.match(stdout, /--data-dir \(SLUICE_DATA_DIR/);
});

test('the launcher passes arguments, input and exit codes through', async (t) => {
  const home = await makeTmpDir(t);
  const options = { env: { HOME: home, PATH: path }, cwd: home };
  const version = await runProgram(t, process.execPath, [sluice, 'version', '--short-version'], options);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal((await runProgram(t, process.execPath, [sluice, 'bogus'], options)).code, 1);
});

test('a build that fails leaves the other functions deployed and names file, line and column', async (t) => {
  const home = await makeTmpDir(t);
  const gateway = startProgram(t, process.execPath, [sluice, ...flags, '--sample=false'], {
    env: { HOME: home, PATH: path },
    cwd: home,
  });
  const url = (await gateway.until(/^gateway +(\S+)$/m))[1] ?? '';
  const cli = (argv: string[]) => runCli(t, argv, { env: { OPENFAAS_URL: url, PATH: path, HOME: home }, home });
  await cli(['new', 'good', '--lang', 'node']);
  await cli(['new', 'bad', '--lang', 'typescript', '--append', 'stack.yaml']);
  await appendFile(join(home, 'bad/handler.ts'), '\nconst count: number = "text";\n');
  const up = await cli(['up']);
  assert.equal(up.code, 1);
  assert.match(up.stdout, /\/function\/good\n$/);
  assert.match(up.stderr, /bad\/handler\.ts:\d+:\d+/);
  assert.match(up.stderr, /1 of 2 functions failed/);
  assert.equal((await cli(['list', '-q'])).stdout, 'good\n');

  const built = await cli(['build', '--filter', 'good', '--output', 'json']);
  const [{ image }] = JSON.parse(built.stdout);
  assert.match(image, /^good:latest@sha256:[0-9a-f]{64}$/);
  assert.equal((await cli(['deploy', '--image', image, '--name', 'again'])).code, 0);
  const plain = await cli(['deploy', '--image', 'nginx:latest', '--name', 'plain']);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /image: expected name:tag@sha256/);
  const pushed = await cli(['push', '--filter', 'good']);
  assert.equal(pushed.stdout, `${image}\n`);
  assert.match(pushed.stderr, /there already/);
  gateway.kill();
  await gateway.exited;
});

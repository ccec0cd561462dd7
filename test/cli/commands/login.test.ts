import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli, startGateway } from '../run-cli.ts';

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const guarded = (password: string) => (seen: { headers: { authorization?: string | undefined } }) =>
  seen.headers.authorization === basic('admin', password) ? { json: [] } : { status: 401 };

test('cli facts 11, 13 and 15: login checks the trimmed password, then stores it in a 0600 file in a 0700 folder', async (t) => {
  const gateway = await startGateway(t, guarded('pw'));
  const home = await makeTmpDir(t);
  const { code, stdout } = await runCli(t, ['login', '-s', '-g', gateway.url], { home, stdin: ' pw\n' });
  assert.equal(code, 0);
  assert.equal(stdout, `credentials saved for admin ${gateway.url}\n`);
  const file = join(home, '.openfaas/config.yml');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(home, '.openfaas'))).mode & 0o777, 0o700);
  const token = Buffer.from('admin:pw').toString('base64');
  assert.deepEqual(parse(await readFile(file, 'utf8')), { auths: [{ gateway: gateway.url, auth: 'basic', token }] });
  assert.equal((await runCli(t, ['list', '-g', gateway.url], { home })).code, 0);
});

test('cli facts 13, 14 and 15: an empty password, two passwords or a wrong one store nothing', async (t) => {
  const gateway = await startGateway(t, guarded('pw'));
  const home = await makeTmpDir(t);
  const cases: [string[], RegExp][] = [
    [['-s'], /expected a password that is not empty/],
    [['-p', 'a', '-s'], /expected --password or --password-stdin, got both/],
    [['-p', 'wrong'], /does not know this user name and password; nothing was stored/],
  ];
  for (const [flags, expected] of cases) {
    const { code, stderr } = await runCli(t, ['login', ...flags, '-g', gateway.url], { home });
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
  assert.equal(gateway.seen.length, 1);
  await assert.rejects(stat(join(home, '.openfaas')));
});

test('cli fact 16: a second login replaces the first, others and unknown keys stay', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  const config = await makeTmpDir(t);
  const other = { gateway: 'http://other:1', auth: 'oauth2', token: 'x', options: [{ name: 'a', value: 'b' }] };
  await writeFile(
    join(config, 'config.yml'),
    JSON.stringify({ auths: [other, { gateway: gateway.url, auth: 'basic', token: 'old' }] }),
  );
  const env = { OPENFAAS_CONFIG: config };
  await runCli(t, ['login', '-p', 'new', '-g', gateway.url], { env });
  const { auths } = parse(await readFile(join(config, 'config.yml'), 'utf8'));
  assert.deepEqual(auths[0], other);
  assert.equal(auths.length, 2);
  assert.equal(auths[1].token, Buffer.from('admin:new').toString('base64'));
  assert.equal((await runCli(t, ['logout', '-g', gateway.url], { env })).code, 0);
  assert.deepEqual(parse(await readFile(join(config, 'config.yml'), 'utf8')), { auths: [other] });
});

test('cli fact 12: CI keeps the logins in the working directory, and OPENFAAS_CONFIG wins', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  const cwd = await makeTmpDir(t);
  await runCli(t, ['login', '-p', 'x', '-g', gateway.url], { cwd, env: { CI: 'true' } });
  assert.ok(await stat(join(cwd, '.openfaas/config.yml')));
  await runCli(t, ['login', '-p', 'x', '-g', gateway.url], { cwd, env: { CI: '1', OPENFAAS_CONFIG: join(cwd, 'named') } });
  assert.ok(await stat(join(cwd, 'named/config.yml')));
});

test('cli fact 17: logout of an unknown gateway exits 1', async (t) => {
  const { code, stderr } = await runCli(t, ['logout', '-g', 'http://gw:1']);
  assert.equal(code, 1);
  assert.match(stderr, /no login for http:\/\/gw:1 is stored in /);
});

test('a broken file of logins is named', async (t) => {
  const config = await makeTmpDir(t);
  await writeFile(join(config, 'config.yml'), 'auths: {');
  const { code, stderr } = await runCli(t, ['list'], { env: { OPENFAAS_CONFIG: config } });
  assert.equal(code, 1);
  assert.match(stderr, /config\.yml: expected YAML/);
});

test('an oauth2 login is sent as a bearer token, --token wins over any, and nothing is sent when there is nothing', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  const config = await makeTmpDir(t);
  const env = { OPENFAAS_CONFIG: config };
  await runCli(t, ['list', '-g', gateway.url], { env });
  await writeFile(
    join(config, 'config.yml'),
    JSON.stringify({ auths: [{ gateway: gateway.url, auth: 'oauth2', token: 'tok' }] }),
  );
  await runCli(t, ['list', '-g', gateway.url], { env });
  await writeFile(
    join(config, 'config.yml'),
    JSON.stringify({ auths: [{ gateway: gateway.url, auth: 'basic', token: 'YTpi' }] }),
  );
  await runCli(t, ['list', '-g', gateway.url], { env });
  await runCli(t, ['list', '-g', gateway.url, '-k', 'T'], { env });
  assert.deepEqual(
    gateway.seen.map((seen) => seen.headers.authorization),
    [undefined, 'Bearer tok', 'Basic YTpi', 'Bearer T'],
  );
});

test('without a login, a loopback gateway gets the credentials of the data directory, and the command says so once', async (t) => {
  const gateway = await startGateway(t, guarded('generated'));
  const home = await makeTmpDir(t);
  await mkdir(join(home, '.sluice/credentials'), { recursive: true });
  await writeFile(join(home, '.sluice/credentials/basic-auth-user'), 'admin\n');
  await writeFile(join(home, '.sluice/credentials/basic-auth-password'), 'generated');
  const { code, stderr } = await runCli(t, ['list', '-g', gateway.url], { home });
  assert.equal(code, 0);
  assert.equal(stderr, "using the credentials of the gateway's data directory ~/.sluice\n");
  const elsewhere = await runCli(t, ['list', '-g', gateway.url], { env: { SLUICE_DATA_DIR: join(home, '.sluice') } });
  assert.equal(elsewhere.code, 0);
  assert.match(elsewhere.stderr, /data directory \//);
});

test('credentials over plain http to another machine are warned about', async (t) => {
  const { stderr } = await runCli(t, ['list', '-k', 'T', '-g', 'http://gateway.invalid:1']);
  assert.match(stderr, /warning: credentials go to http:\/\/gateway\.invalid:1 unencrypted; use https/);
});

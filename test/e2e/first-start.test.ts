// The first minutes of somebody who has just installed Sluice, with the real programs.
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { call } from '../helpers/call.ts';
import { type FreshMachine, makeFreshMachine, printed } from '../helpers/fresh-machine.ts';
import { listen } from '../helpers/listen.ts';
import type { Program } from '../helpers/process.ts';

const sampleLine = async (program: Program): Promise<string> => (await program.until(/^try it: +(\S.*)$/m))[1] ?? '';

/** The request of the printed line, by hand where there is no curl. */
const paste = async (machine: FreshMachine, line: string): Promise<string> => {
  const { code } = await machine.shell('command -v curl');
  if (code === 0) {
    const { stdout, ...end } = await machine.shell(line);
    assert.equal(end.code, 0, end.stderr);
    return stdout;
  }
  const [, url = '', body = ''] = /^curl (\S+) -d (\S+)$/.exec(line) ?? assert.fail(`unexpected: ${line}`);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return (await call(url, { method: 'POST', path: new URL(url).pathname, headers, body })).text;
};

test('the first start prints where it is, who may use it and a line that works when pasted', async (t) => {
  const machine = await makeFreshMachine(t);
  const gateway = machine.gateway();
  const line = await sampleLine(gateway);
  const url = await printed(gateway, 'gateway');
  assert.match(url, /^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  assert.match(await printed(gateway, 'metrics'), /^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  assert.equal(await printed(gateway, 'data'), join(machine.home, '.sluice'));
  assert.match(await printed(gateway, 'isolation'), process.getuid?.() === 0 ? /./ : /^none: .* trusted/);
  assert.equal(await paste(machine, line), 'Hello, Ada!\n');

  const [user, password] = [await printed(gateway, 'user'), await printed(gateway, 'password')];
  const Authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  assert.equal((await call(url, { path: '/system/functions', headers: { Authorization } })).status, 200);
  assert.equal((await call(url, { path: '/system/functions' })).status, 401);
  const file = join(machine.home, '.sluice', 'credentials', 'basic-auth-password');
  assert.equal((await readFile(file, 'utf8')).trim(), password);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(gateway.stdout().includes(file), 'says where the password is kept');
});

test('commands right after the first start need no login, and say why', async (t) => {
  const machine = await makeFreshMachine(t);
  const gateway = machine.gateway();
  await sampleLine(gateway);
  const OPENFAAS_URL = await printed(gateway, 'gateway');
  assert.ok(gateway.stdout().includes(`export OPENFAAS_URL=${OPENFAAS_URL}\n`), gateway.stdout());
  const { code, stdout, stderr } = await machine.sluice(['list'], { env: { OPENFAAS_URL } });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^hello\s+0\s+1\s*$/m);
  assert.equal(stderr, "using the credentials of the gateway's data directory ~/.sluice\n");
});

test('a later start tells where the password is kept, and deploys nothing again', async (t) => {
  const machine = await makeFreshMachine(t);
  const first = machine.gateway();
  await sampleLine(first);
  const password = await printed(first, 'password');
  const OPENFAAS_URL = await printed(first, 'gateway');
  const { stdout: before } = await machine.sluice(['list', '--output', 'json'], { env: { OPENFAAS_URL } });
  first.kill('SIGTERM');
  await first.exited;

  const second = machine.gateway();
  const line = await sampleLine(second);
  assert.ok(!second.stdout().includes(password));
  assert.equal(await printed(second, 'password'), `kept in ${join(machine.home, '.sluice/credentials/basic-auth-password')}`);
  assert.equal(await paste(machine, line), 'Hello, Ada!\n');
  const env = { OPENFAAS_URL: await printed(second, 'gateway') };
  const { stdout: after } = await machine.sluice(['list', '--output', 'json'], { env });
  assert.equal(JSON.parse(after)[0].createdAt, JSON.parse(before)[0].createdAt);
});

test('the sample does not come back to somebody who removed it and has functions of their own', async (t) => {
  const machine = await makeFreshMachine(t);
  const first = machine.gateway();
  await sampleLine(first);
  const env = { OPENFAAS_URL: await printed(first, 'gateway') };
  assert.equal((await machine.sluice(['new', 'mine', '--lang', 'node'], { env })).code, 0);
  assert.equal((await machine.sluice(['up'], { env })).code, 0);
  assert.equal((await machine.sluice(['remove', 'hello'], { env })).code, 0);
  first.kill('SIGTERM');
  await first.exited;

  const second = machine.gateway();
  const url = await printed(second, 'gateway');
  assert.equal((await call(url, { path: '/function/mine' })).text, 'Hello, world!\n');
  const { stdout, stderr } = await machine.sluice(['list', '-q', '--gateway', url]);
  assert.equal(stdout, 'mine\n', stderr);
  assert.doesNotMatch(second.stdout(), /try it/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the gateway with exit code 0 and leaves no process and no file outside the data directory`, async (t) => {
    const machine = await makeFreshMachine(t);
    const gateway = machine.gateway();
    await sampleLine(gateway);
    if (process.platform === 'linux') assert.ok((await machine.processes()).length >= 3, 'gateway, function and blank watchdogs');
    gateway.kill(signal);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null }, gateway.stderr());
    assert.deepEqual(await machine.processes(), []);
    assert.deepEqual(await readdir(machine.temporary), []);
    assert.deepEqual(await readdir(machine.home), ['.sluice']);
  });
}

test('a port in use stops the start and names who has it', async (t) => {
  const machine = await makeFreshMachine(t);
  const taken = await listen(t, (_req, res) => res.end());
  for (const flag of ['--port', '--metrics-port']) {
    const { code, stdout, stderr } = await machine.sluice(['gateway', '--port=0', '--metrics-port=0', flag, String(taken.port)]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    const holder = process.platform === 'linux' ? `process ${process.pid} (` : 'another process';
    assert.ok(stderr.includes(`error: ${flag}: 127.0.0.1:${taken.port} is in use by ${holder}`), stderr);
    assert.deepEqual(await machine.processes(), []);
  }
});

test('a data directory in use stops the start and names who has it, and the first gateway works on', async (t) => {
  const machine = await makeFreshMachine(t);
  const gateway = machine.gateway();
  const line = await sampleLine(gateway);
  const { code, stdout, stderr } = await machine.sluice(['gateway', '--port', '0', '--metrics-port', '0']);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.ok(stderr.includes(join(machine.home, '.sluice')) && stderr.includes(`process ${gateway.pid}`), stderr);
  assert.equal(await paste(machine, line), 'Hello, Ada!\n');
});

test('bad flags stop the start, all named at once, before anything is made', async (t) => {
  const machine = await makeFreshMachine(t);
  const { code, stderr } = await machine.sluice(['gateway', '--port', 'x', '--pol-size', '1', '--park-idle', 'soon']);
  assert.equal(code, 1);
  for (const part of ['--port: expected a port', 'did you mean --pool-size?', '--park-idle: expected a duration']) {
    assert.ok(stderr.includes(part), `${part} in ${stderr}`);
  }
  assert.deepEqual(await readdir(machine.home), []);
});

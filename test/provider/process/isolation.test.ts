// What a function can see of the gateway and of other functions.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { firstUserId } from '../../../provider/process/isolation.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { evaluator, setUp } from './support/functions.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'only root can give functions users of their own';
const refused = ['EACCES', 'EPERM'];

test('a function sees no variable of the gateway', async (t) => {
  process.env.SLUICE_TEST_CANARY = 'seen';
  onEnd(t, () => delete process.env.SLUICE_TEST_CANARY);
  const { run, evaluate } = await setUp(t);
  const ref = await run('fn', evaluator);
  const { value } = await evaluate(ref, 'Object.entries(process.env)');
  const names = (value as [string, string][]).map(([name]) => name);
  assert.deepEqual(
    names.filter((name) => !['PATH', 'HOME', 'TMPDIR', 'LANG', 'secret_mount_path', 'handler_style'].includes(name)).toSorted(),
    ['OPENFAAS_NAME', 'OPENFAAS_NAMESPACE', 'SLUICE_REPLICA'],
  );
  const cold = await run('cold', evaluator, { envVars: { NODE_OPTIONS: '--no-warnings' } });
  const all = await evaluate(
    cold,
    "execFileSync('/bin/sh', ['-c', 'env; cat /proc/self/environ /proc/$PPID/environ']).toString()",
  );
  assert.doesNotMatch(String(all.value ?? all.error), /CANARY/);
});

test('home and temporary directory are the own ones of a replica and go with it', async (t) => {
  const { provider, watcher, run, evaluate } = await setUp(t);
  const ref = await run('fn', evaluator);
  const { value: dir } = await evaluate(ref, "(fs.writeFileSync(process.env.TMPDIR + '/x', '1'), process.env.HOME)");
  assert.equal(typeof dir, 'string');
  await provider.scale(ref, 0);
  await watcher.until('the endpoint gone', () => watcher.endpoints(ref).length === 0);
  await provider.remove(ref);
  await provider.close();
  await assert.rejects(readFile(join(String(dir), 'x')), { code: 'ENOENT' });
});

test('a changed secret is seen by replicas that run', async (t) => {
  const { provider, run, evaluate } = await setUp(t);
  const namespace = 'openfaas-fn';
  await provider.secrets.create({ name: 'key', namespace, value: Buffer.from('old') });
  const ref = await run('fn', evaluator, { secrets: ['key'] });
  const read = "fs.readFileSync((process.env.secret_mount_path ?? '/var/openfaas/secrets') + '/key', 'utf8')";
  assert.equal((await evaluate(ref, read)).value, 'old');
  await provider.secrets.update({ name: 'key', namespace, value: Buffer.from('new') });
  assert.equal((await evaluate(ref, read)).value, 'new');
});

test('as another user than root, secret_mount_path names the secrets and info says that functions are trusted', async (t) => {
  const { provider, run, evaluate } = await setUp(t, { isolate: false });
  await provider.secrets.create({ name: 'key', namespace: 'openfaas-fn', value: Buffer.from('v') });
  const ref = await run('fn', evaluator, { secrets: ['key'] });
  assert.equal((await evaluate(ref, "fs.readFileSync(process.env.secret_mount_path + '/key', 'utf8')")).value, 'v');
  assert.match((await provider.info()).capabilities?.isolation ?? '', /trusted/);
});

test('as root, functions of a namespace have a user of their own without a way back', { skip: needsRoot }, async (t) => {
  const { provider, run, evaluate } = await setUp(t);
  await provider.namespaces.create({ name: 'dev', labels: {}, annotations: {} });
  const one = await run('one', evaluator);
  const other = await run('other', evaluator, { namespace: 'dev' });
  const cold = await run('cold', evaluator, { limits: { memory: '256Mi' } });
  const ids = '[process.getuid(), process.getgid(), process.getgroups().length]';
  const [oneId, otherId, coldId] = await Promise.all(
    [one, other, cold].map(async (ref) => (await evaluate(ref, ids)).value as number[]),
  );
  assert.ok((oneId?.[0] ?? 0) >= 30_000);
  assert.notDeepEqual(oneId, otherId);
  assert.deepEqual(coldId?.slice(0, 2), oneId?.slice(0, 2));
  for (const ref of [one, cold]) {
    const status = String((await evaluate(ref, "fs.readFileSync('/proc/self/status', 'utf8')")).value);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^CapEff:\s+0+$/m);
  }
});

test('as root, a function reads no data of the gateway and nothing of another namespace', { skip: needsRoot }, async (t) => {
  const { place, provider, watcher, run, evaluate } = await setUp(t);
  await provider.namespaces.create({ name: 'dev', labels: {}, annotations: {} });
  await provider.secrets.create({ name: 'key', namespace: 'dev', value: Buffer.from('hidden') });
  const victim = await run('victim', evaluator, { namespace: 'dev', secrets: ['key'] });
  const spy = await run('spy', evaluator);
  await writeFile(join(place.dataDir, 'password'), 'x', { mode: 0o644 });
  const [endpoint] = watcher.endpoints(victim);
  const socketPath = endpoint !== undefined && 'socketPath' in endpoint.address ? endpoint.address.socketPath : '';
  const victimDir = join(socketPath, '..');
  const { value: victimRoot } = await evaluate(victim, 'process.cwd()');
  const { value: victimPid } = await evaluate(victim, 'process.pid');
  const forbidden = [
    `fs.readdirSync(${JSON.stringify(place.dataDir)})`,
    `fs.readFileSync(${JSON.stringify(join(place.dataDir, 'password'))})`,
    `fs.readdirSync(${JSON.stringify(victimDir)})`,
    `fs.readFileSync(${JSON.stringify(join(victimDir, 'secrets', 'key'))})`,
    `fs.readdirSync(${JSON.stringify(join(victimDir, 't'))})`,
    `fs.readdirSync(${JSON.stringify(victimRoot)})`,
    `fs.readFileSync('/proc/${victimPid}/environ')`,
    `fs.readFileSync('/proc/${process.pid}/environ')`,
    `fs.readFileSync('/proc/${victimPid}/root/var/openfaas/secrets/key')`,
    `process.kill(${victimPid}, 'SIGKILL')`,
    `process.kill(${process.pid}, 0)`,
    'process.setuid(0)',
    `new Promise((resolve, reject) => process.getBuiltinModule('net').connect(${JSON.stringify(socketPath)}, resolve).on('error', reject))`,
    // Its own socket is not its own to replace: the gateway connects to what is at that path.
    `fs.unlinkSync(process.env.HOME + '/../s')`,
    `fs.writeFileSync(process.cwd() + '/handler.mjs', '')`,
  ];
  for (const expression of forbidden) {
    const { value, error } = await evaluate(spy, expression);
    assert.ok(refused.includes(error ?? ''), `${expression} gave ${JSON.stringify(value)} ${error}`);
  }
  const own = await evaluate(
    victim,
    "fs.readFileSync((process.env.secret_mount_path ?? '/var/openfaas/secrets') + '/key', 'utf8')",
  );
  assert.equal(own.value, 'hidden');
});

test('as root, code that NODE_OPTIONS loads runs as the user of the namespace, too', { skip: needsRoot }, async (t) => {
  const { run, evaluate } = await setUp(t);
  const script = 'data:text/javascript,globalThis.bootUser=process.getuid()';
  const ref = await run('fn', evaluator, { envVars: { NODE_OPTIONS: `--import=${script}` } });
  const { value } = await evaluate(ref, '[globalThis.bootUser, process.getuid()]');
  const [atBoot, now] = value as number[];
  assert.equal(atBoot, now);
  assert.notEqual(atBoot, 0);
});

test('as root, code that runs before the function cannot put anything in the place of its directories', {
  skip: needsRoot,
}, async (t) => {
  const { provider, run, evaluate } = await setUp(t);
  await provider.secrets.create({ name: 'key', namespace: 'openfaas-fn', value: Buffer.from('v') });
  const script = `
    import { renameSync, symlinkSync } from 'node:fs';
    const dir = process.env.SLUICE_SOCKET.slice(0, -2);
    try { renameSync(dir + '/secrets', dir + '/x'); symlinkSync('/tmp', dir + '/secrets'); globalThis.outcome = 'done'; }
    catch (error) { globalThis.outcome = error.code; }`;
  const envVars = { NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(script).toString('base64')}` };
  const ref = await run('fn', evaluator, { envVars, secrets: ['key'] });
  assert.match(String((await evaluate(ref, 'globalThis.outcome')).value), /^(EPERM|EACCES)$/);
});

test('variables that Node.js reads as it starts come through as they are', async (t) => {
  const { run, evaluate } = await setUp(t);
  const value = `it's "$(id)" \\ and\n a line`;
  const ref = await run('fn', evaluator, { envVars: { NODE_TRICKY: value, 'NODE_NO-NAME': 'x' } });
  const { value: text } = await evaluate(ref, "fs.readFileSync('/proc/self/environ', 'utf8')");
  const boot = String(text).split('\0');
  assert.ok(boot.includes(`NODE_TRICKY=${value}`), String(text));
  assert.deepEqual(
    boot.filter((each) => each.startsWith('SLUICE_BOOT')),
    [],
  );
  assert.deepEqual((await evaluate(ref, "[process.env.NODE_TRICKY, process.env['NODE_NO-NAME']]")).value, [value, 'x']);
});

test('user ids are taken from a range that this system maps', () => {
  assert.equal(firstUserId('         0          0 4294967295\n', '0000000a00'), 1_000_100_000);
  assert.equal(firstUserId('0 1000 1\n1 100000 300000\n', '0000000a00'), 200_000);
  assert.equal(firstUserId('0 1000 1\n1 100000 65536\n', '0000000a00'), 40_000);
  assert.equal(firstUserId('0 1000 1\n', '0000000a00'), undefined);
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { readyStatus, runCli, startGateway } from '../run-cli.ts';

const functions = [
  readyStatus('zeta', { invocationCount: 7, createdAt: '2026-01-01T00:00:00Z' }),
  readyStatus('alpha', { invocationCount: 2, createdAt: '2026-01-03T00:00:00Z', replicas: undefined }),
  readyStatus('mid', { createdAt: '2026-01-02T00:00:00Z', image: 'registry.example.com/a/very/long/name/of/an/image:1.0' }),
];
const routes = () => ({ json: functions });

test('cli fact 37: list pads its columns to 30, 15 and 5 and separates them by tabs', async (t) => {
  const gateway = await startGateway(t, routes);
  const { code, stdout } = await runCli(t, ['list', '--gateway', gateway.url]);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.equal(lines[0], `${'Function'.padEnd(30)}\t${'Invocations'.padEnd(15)}\tReplicas`);
  assert.equal(lines[1], `${'alpha'.padEnd(30)}\t${'2'.padEnd(15)}\t0`);
  assert.equal(lines[3], `${'zeta'.padEnd(30)}\t${'7'.padEnd(15)}\t1`);
  assert.deepEqual(gateway.calls(), ['GET /system/functions']);
});

test('cli fact 37: list -q prints names only', async (t) => {
  const gateway = await startGateway(t, routes);
  assert.equal((await runCli(t, ['ls', '-q', '-g', gateway.url])).stdout, 'alpha\nmid\nzeta\n');
});

test('cli fact 38: list sorts by name, by calls downwards and by creation upwards', async (t) => {
  const gateway = await startGateway(t, routes);
  const names = async (sort: string) =>
    (await runCli(t, ['list', '-q', '--sort', sort, '-g', gateway.url])).stdout.trim().split('\n');
  assert.deepEqual(await names('name'), ['alpha', 'mid', 'zeta']);
  assert.deepEqual(await names('invocations'), ['zeta', 'alpha', 'mid']);
  assert.deepEqual(await names('creation'), ['zeta', 'mid', 'alpha']);
});

test('list --sort refuses an unknown order', async (t) => {
  const { code, stderr } = await runCli(t, ['list', '--sort', 'size']);
  assert.equal(code, 1);
  assert.match(stderr, /Allowed choices are name, invocations, creation/);
});

test('cli fact 39: the image column of list -v is as wide as the longest image, at least 40', async (t) => {
  const gateway = await startGateway(t, routes);
  const { stdout } = await runCli(t, ['list', '-v', '-g', gateway.url]);
  const [heading, alpha] = stdout.split('\n');
  assert.equal(heading?.split('\t')[1]?.length, 53);
  assert.deepEqual(alpha?.split('\t').slice(4), ['', '2026-01-03T00:00:00Z']);
  const short = await startGateway(t, () => ({ json: [functions[0]] }));
  const narrow = await runCli(t, ['list', '-v', '-g', short.url]);
  assert.equal(narrow.stdout.split('\n')[0]?.split('\t')[1]?.length, 40);
});

test('list --output json and -j print the list as it came', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [{ ...functions[0], extra: 'kept' }] }));
  for (const flags of [['--output', 'json'], ['--output=json'], ['-j'], ['--json']]) {
    const { stdout } = await runCli(t, ['list', ...flags, '-g', gateway.url]);
    assert.equal(stdout, `${JSON.stringify([{ ...functions[0], extra: 'kept' }], null, 2)}\n`);
  }
});

test('list -n asks for one namespace', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  const { stdout } = await runCli(t, ['list', '-n', 'photos', '-g', gateway.url]);
  assert.deepEqual(gateway.calls(), ['GET /system/functions?namespace=photos']);
  assert.match(stdout, /^Function/);
});

test('cli fact 6: the gateway of the stack file is used, and OPENFAAS_URL when that is the default one', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'stack.yaml'), `provider: {name: openfaas, gateway: "${gateway.url}"}\n`);
  assert.equal((await runCli(t, ['list'], { cwd, env: { OPENFAAS_URL: 'http://127.0.0.1:1' } })).code, 0);
  await writeFile(join(cwd, 'stack.yaml'), 'provider: {name: openfaas, gateway: "http://127.0.0.1:8080"}\n');
  assert.equal((await runCli(t, ['list'], { cwd, env: { OPENFAAS_URL: gateway.url } })).code, 0);
  assert.equal(gateway.seen.length, 2);
});

test('a gateway that refuses the credentials is answered with how to log in', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 401, body: 'unauthorized' }));
  const { code, stdout, stderr } = await runCli(t, ['list', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.ok(stderr.includes(`log in with: sluice login --gateway ${gateway.url}`), stderr);
});

test('an address without a gateway is answered with how to start or name one', async (t) => {
  const { code, stderr } = await runCli(t, ['list', '-g', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: cannot reach http:\/\/127\.0\.0\.1:1: nothing listens there; start a gateway with `sluice gateway`/,
  );
});

test('a server that is no gateway is recognised by its body', async (t) => {
  const gateway = await startGateway(t, () => ({ body: '<html>' }));
  const { code, stderr } = await runCli(t, ['list', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /expected JSON from .*, is it a function gateway\?/);
});

test('an address without a gateway behind it, such as the metrics port, is told so', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404, body: '404 page not found' }));
  const { code, stderr } = await runCli(t, ['list', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.equal(stderr, `error: listing functions: ${gateway.url} answered 404, is it a function gateway?\n`);
});

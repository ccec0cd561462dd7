import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli, startGateway } from '../run-cli.ts';

test('namespaces are listed by three commands, as text or JSON', async (t) => {
  const gateway = await startGateway(t, () => ({ json: ['openfaas-fn', 'photos'] }));
  for (const argv of [['namespaces'], ['namespace', 'list'], ['ns', 'ls']]) {
    const { code, stdout } = await runCli(t, [...argv, '-g', gateway.url]);
    assert.equal(code, 0);
    assert.equal(stdout, 'Namespaces:\n - openfaas-fn\n - photos\n');
  }
  const { stdout } = await runCli(t, ['namespace', 'list', '--json', '-g', gateway.url]);
  assert.deepEqual(JSON.parse(stdout), ['openfaas-fn', 'photos']);
});

test('cli fact 58: namespace create posts to /system/namespace/ with the openfaas label and annotation', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 201 }));
  const { code, stdout } = await runCli(t, [
    'namespace',
    'create',
    'photos',
    '-l',
    'a=b',
    '--annotation',
    'c=d',
    '-g',
    gateway.url,
  ]);
  assert.equal(code, 0);
  assert.equal(stdout, 'Namespace created: photos\n');
  assert.deepEqual(gateway.calls(), ['POST /system/namespace/']);
  assert.deepEqual(JSON.parse(gateway.seen[0]?.body ?? ''), {
    name: 'photos',
    annotations: { c: 'd', openfaas: '1' },
    labels: { a: 'b', openfaas: '1' },
  });
});

test('namespace update, get and remove address the namespace by its path', async (t) => {
  const gateway = await startGateway(t, (seen) =>
    seen.method === 'GET' ? { json: { name: 'photos', labels: { a: 'b' }, annotations: {} } } : { status: 202 },
  );
  await runCli(t, ['namespace', 'update', 'photos', '-l', 'a=b', '-g', gateway.url]);
  const got = await runCli(t, ['namespace', 'get', 'photos', '-g', gateway.url]);
  assert.equal(got.stdout, 'Name: photos\nLabels:\n  a: b\n');
  await runCli(t, ['namespace', 'delete', 'photos', '-g', gateway.url]);
  const path = '/system/namespace/photos';
  assert.deepEqual(gateway.calls(), [`PUT ${path}`, `GET ${path}`, `DELETE ${path}`]);
  assert.deepEqual(JSON.parse(gateway.seen[2]?.body ?? ''), { name: 'photos', labels: { openfaas: '1' } });
});

test('a namespace that is not there, a bad name and a missing name exit 1', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404 }));
  const get = await runCli(t, ['namespace', 'get', 'nope', '-g', gateway.url]);
  assert.equal(get.code, 1);
  assert.match(get.stderr, /looking up namespace nope: there is none/);
  const bad = await runCli(t, ['namespace', 'create', 'Bad', '-g', gateway.url]);
  assert.match(bad.stderr, /namespace: expected at most 63 .* got "Bad"/);
  assert.equal((await runCli(t, ['namespace', 'create'])).code, 1);
  assert.equal((await runCli(t, ['namespace', 'remove', 'a', 'b'])).code, 1);
});

test('-k wins over everything stored, and is sent as a bearer token', async (t) => {
  const gateway = await startGateway(t, () => ({ json: [] }));
  await runCli(t, ['namespace', 'list', '-k', 'T', '-g', gateway.url]);
  assert.equal(gateway.seen[0]?.headers.authorization, 'Bearer T');
});

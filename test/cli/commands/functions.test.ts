// describe, remove, scale, ready, version: the small commands about functions and the gateway.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { readyStatus, runCli, startGateway } from '../run-cli.ts';

const info = {
  provider: {
    provider: 'process',
    orchestration: 'process',
    version: { sha: 'abc', release: '2.0' },
    capabilities: { packaging: 'bundle', limits: 'cgroup v2', isolation: 'none' },
  },
  version: { sha: 'def', release: '1.0' },
  arch: 'amd64',
};
const full = readyStatus('hello', {
  invocationCount: undefined,
  envVars: { B: '2', A: '1' },
  labels: { x: 'y' },
  secrets: ['s'],
  limits: { memory: '128Mi', cpu: '1' },
  usage: { cpu: 12.6, totalMemoryBytes: 10.5 * 1024 * 1024 },
  conditions: [
    { type: 'Healthy', status: 'False', reason: 'OOMKilled', message: 'over 128Mi', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
});

test('cli fact 40: describe asks for the function with usage, and the list for the calls', async (t) => {
  const gateway = await startGateway(t, (seen) =>
    seen.path.startsWith('/system/function/')
      ? { json: full }
      : { json: seen.path === '/system/info' ? info : [{ ...full, invocationCount: 9 }] },
  );
  const { code, stdout } = await runCli(t, ['describe', 'hello', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.deepEqual(gateway.calls().slice(0, 2), ['GET /system/function/hello?usage=1', 'GET /system/functions']);
  assert.match(stdout, /^Name: +hello\n/);
  assert.match(stdout, /Status: +Ready \(OOMKilled\)\n/);
  assert.match(stdout, /Invocations: +9\n/);
  assert.match(stdout, /Function Process: +<default>\n/);
  assert.ok(stdout.includes(`URL:                ${gateway.url}/function/hello\n`), stdout);
  assert.ok(stdout.includes('Environment:\n  A: 1\n  B: 2\n'));
  assert.ok(stdout.includes('Limits:\n  CPU: 1\n  Memory: 128Mi\n  Enforced by: cgroup v2\n'));
  assert.ok(stdout.includes('Usage:\n  RAM: 10.50 MiB\n  CPU: 13 m\n'));
  assert.ok(stdout.includes('Conditions:\n  Healthy: False, OOMKilled: over 128Mi (since 2026-01-01T00:00:00Z)\n'));
});

test('cli fact 41: describe hides empty blocks, -v shows them as <none>', async (t) => {
  const gateway = await startGateway(t, (seen) => ({
    json: seen.path.startsWith('/system/functions') ? [] : readyStatus('hello'),
  }));
  const plain = await runCli(t, ['describe', 'hello', '-g', gateway.url]);
  assert.ok(!plain.stdout.includes('Annotations'));
  const verbose = await runCli(t, ['describe', 'hello', '-v', '-g', gateway.url]);
  assert.ok(verbose.stdout.includes('Annotations:\n  <none>\n'));
});

test('describe shows an asynchronous address only where the gateway takes such calls', async (t) => {
  const { capabilities, ...provider } = info.provider;
  const gatewayOf = (told: object) =>
    startGateway(t, (seen) => ({ json: seen.path === '/system/info' ? told : readyStatus('hello', { invocationCount: 3 }) }));
  const ask = async (url: string) => {
    const text = await runCli(t, ['describe', 'hello', '-g', url]);
    const json = await runCli(t, ['describe', 'hello', '-g', url, '--output', 'json']);
    return [/^Async URL: +(.*)$/m.exec(text.stdout)?.[1], JSON.parse(json.stdout).AsyncURL];
  };
  const ours = await gatewayOf({ ...info, provider: { ...provider, capabilities } });
  assert.deepEqual(await ask(ours.url), [undefined, undefined], 'there is no queue yet');
  const openfaas = await gatewayOf({ ...info, provider });
  const url = `${openfaas.url}/async-function/hello`;
  assert.deepEqual(await ask(openfaas.url), [url, url]);
});

test('describe --output json adds status, calls and addresses to what the gateway says', async (t) => {
  const gateway = await startGateway(t, () => ({ json: readyStatus('hello', { invocationCount: 3, availableReplicas: 0 }) }));
  const { stdout } = await runCli(t, ['describe', 'hello', '--output=json', '-n', 'ns', '-g', gateway.url]);
  const value = JSON.parse(stdout);
  assert.deepEqual([value.name, value.Status, value.InvocationCount], ['hello', 'Not Ready', 3]);
  assert.equal(value.URL, `${gateway.url}/function/hello.ns`);
});

test('describe of an unknown function says so', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404 }));
  const { code, stderr } = await runCli(t, ['describe', 'nope', '-n', 'ns', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /no such function: nope in namespace ns/);
});

test('a name with its namespace is told from one that is not there', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404, body: 'function not found' }));
  for (const argv of [['describe'], ['remove'], ['scale', '2'], ['logs', '--tail=false']]) {
    const [command = '', ...more] = argv;
    const ask = (name: string) => runCli(t, [command, name, ...more, '-g', gateway.url]);
    assert.match((await ask('greet.dev')).stderr, /; a function of another namespace is named greet --namespace dev\n$/, command);
    assert.doesNotMatch((await ask('greet')).stderr, /another namespace/, command);
  }
});

test('cli fact 35: remove names the function in the body', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 202 }));
  const { code, stdout } = await runCli(t, ['remove', 'hello', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.match(stdout, /^Deleting: hello\.\n/);
  await runCli(t, ['rm', 'a', 'b', '-n', 'ns', '-g', gateway.url]);
  assert.deepEqual(
    gateway.seen.map((seen) => seen.body),
    ['{"functionName":"hello"}', '{"functionName":"a","namespace":"ns"}', '{"functionName":"b","namespace":"ns"}'],
  );
});

test('cli fact 36: remove of an unknown function exits 1', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404 }));
  const { code, stderr } = await runCli(t, ['remove', 'nope', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /removing nope: there is no function nope to remove/);
});

test('remove takes the functions of a stack file only when the file is named', async (t) => {
  const gateway = await startGateway(t, (seen) => ({ status: seen.body.includes('"a"') ? 404 : 202 }));
  const cwd = await makeTmpDir(t);
  const text = `provider: {name: openfaas, gateway: "${gateway.url}"}\nfunctions: {a: {namespace: ns}, b: {}, c: {}}\n`;
  await writeFile(join(cwd, 'stack.yaml'), text);
  const unnamed = await runCli(t, ['remove'], { cwd });
  assert.equal(unnamed.code, 1);
  assert.match(unnamed.stderr, /name the functions to remove, or give -f stack\.yaml/);
  assert.equal(gateway.seen.length, 0);
  const named = await runCli(t, ['remove', '-f', 'stack.yaml', '--filter', '[ab]'], { cwd });
  assert.equal(named.code, 1);
  const all = await runCli(t, ['remove', '-f', 'stack.yaml', '--regex', '[ab]'], { cwd });
  assert.equal(all.code, 1);
  assert.deepEqual(
    gateway.seen.map((seen) => seen.body),
    ['{"functionName":"a","namespace":"ns"}', '{"functionName":"b"}'],
  );
});

test('scale sends the number with the namespace in query and body', async (t) => {
  const gateway = await startGateway(t, (seen) => ({ status: seen.path.includes('nope') ? 404 : 202 }));
  const { code, stdout } = await runCli(t, ['scale', 'hello', '0', '-n', 'ns', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.equal(stdout, 'Scaled: hello to 0 replicas.\n');
  assert.deepEqual(gateway.calls(), ['POST /system/scale-function/hello?namespace=ns']);
  assert.equal(gateway.seen[0]?.body, '{"serviceName":"hello","replicas":0,"namespace":"ns"}');
  assert.equal((await runCli(t, ['scale', 'nope', '1', '-g', gateway.url])).code, 1);
  assert.match((await runCli(t, ['scale', 'hello', 'many'])).stderr, /Expected a whole number/);
});

test('cli fact 59: ready looks at /healthz without a name, and --attempts 0 fails', async (t) => {
  let looks = 0;
  const gateway = await startGateway(t, () => {
    looks += 1;
    return { status: looks < 3 ? 503 : 200 };
  });
  const { code, stdout } = await runCli(t, ['ready', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.match(stdout, /is ready/);
  assert.deepEqual(new Set(gateway.calls()), new Set(['GET /healthz']));
  assert.match((await runCli(t, ['ready', '--attempts', '0'])).stderr, /--attempts: expected 1 or more/);
});

test('ready NAME waits for a replica that answers, and gives up after its attempts', async (t) => {
  const gateway = await startGateway(t, () => ({ json: readyStatus('hello', { availableReplicas: 0 }) }));
  const { code, stderr } = await runCli(t, ['ready', 'hello', '--attempts', '2', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /\[2\/2\] Waiting for function hello\nerror: function hello was not ready after 2 attempts/);
  assert.deepEqual(gateway.calls(), ['GET /system/function/hello?usage=1', 'GET /system/function/hello?usage=1']);
});

test('cli fact 60: version --short-version needs no gateway', async (t) => {
  const { code, stdout, stderr } = await runCli(t, ['version', '--short-version', '-g', 'http://127.0.0.1:1']);
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(stderr, '');
});

test('version shows command, gateway and provider; JSON needs the gateway, text does not', async (t) => {
  const gateway = await startGateway(t, () => ({ json: info }));
  const { stdout } = await runCli(t, ['version', '-g', gateway.url]);
  assert.match(stdout, /Gateway:\n {2}uri: +http.*\n {2}version: +1\.0\n {2}sha: +def\n\nProvider:\n {2}name: +process/);
  const json = JSON.parse((await runCli(t, ['version', '-j', '-g', gateway.url])).stdout);
  assert.match(json.cli.version, /^\d+\.\d+\.\d+$/);
  assert.match(json.cli.commit, /^\S+$/);
  assert.notEqual(json.cli.commit, json.cli.version);
  assert.deepEqual(json.provider, { name: 'process', orchestration: 'process', version: '2.0', sha: 'abc' });
  const alone = await runCli(t, ['version', '-g', 'http://127.0.0.1:1']);
  assert.equal(alone.code, 0);
  assert.match(alone.stderr, /no version of the gateway: cannot reach/);
  assert.equal((await runCli(t, ['version', '-j', '-g', 'http://127.0.0.1:1'])).code, 1);
});

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli, startGateway } from '../run-cli.ts';

const echo = () => ({ body: 'answer' });

test('cli fact 42: invoke addresses name.namespace, openfaas-fn by default', async (t) => {
  const gateway = await startGateway(t, echo);
  const { code, stdout } = await runCli(t, ['invoke', 'hello', '-g', gateway.url], { stdin: 'hi' });
  assert.equal(code, 0);
  assert.equal(stdout, 'answer');
  await runCli(t, ['invoke', 'hello', '-n', 'photos', '-g', gateway.url]);
  assert.deepEqual(gateway.calls(), ['POST /function/hello.openfaas-fn', 'POST /function/hello.photos']);
  assert.equal(gateway.seen[0]?.body, 'hi');
  assert.equal(gateway.seen[0]?.headers['content-type'], 'text/plain');
  assert.equal(gateway.seen[0]?.headers['content-length'], '2');
});

test('cli fact 43: invoke takes the namespace from the stack file', async (t) => {
  const gateway = await startGateway(t, echo);
  const cwd = await makeTmpDir(t);
  const text = `provider: {name: openfaas, gateway: "${gateway.url}"}\nfunctions:\n  hello: {image: x, namespace: photos}\n`;
  await writeFile(join(cwd, 'stack.yml'), text);
  await runCli(t, ['invoke', 'hello'], { cwd });
  assert.deepEqual(gateway.calls(), ['POST /function/hello.photos']);
});

test('invoke reads a broken stack file as an error that names its line', async (t) => {
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'stack.yml'), 'provider: {name: openfaas}\nfunctions: 3\n');
  const { code, stderr } = await runCli(t, ['invoke', 'hello'], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /stack\.yml:2:12: functions: expected a mapping/);
});

test('cli fact 44: headers of one name are all sent', async (t) => {
  const gateway = await startGateway(t, echo);
  const argv = ['invoke', 'f', '-g', gateway.url, '-H', 'X-A: 1', '-H', 'x-a: 2', '--header=Content-Type: image/png'];
  await runCli(t, argv);
  assert.equal(gateway.seen[0]?.headers['x-a'], '1, 2');
  assert.equal(gateway.seen[0]?.headers['content-type'], 'image/png');
});

test('an explicit --content-type wins over the header', async (t) => {
  const gateway = await startGateway(t, echo);
  await runCli(t, ['invoke', 'f', '-g', gateway.url, '-H', 'content-type: a/b', '--content-type', 'c/d']);
  assert.equal(gateway.seen[0]?.headers['content-type'], 'c/d');
});

test('a malformed header, query, method or half a signature is an error before any call', async (t) => {
  const gateway = await startGateway(t, echo);
  const cases: [string[], RegExp][] = [
    [['-H', 'nonsense'], /--header: expected "Key: Value", got "nonsense"/],
    [['-H', 'X: a\nY: b'], /--header: expected/],
    [['--query', 'a='], /--query: expected key=value/],
    [['-m', 'get'], /--method: expected one of GET, .*got "get"/],
    [['--sign', 'X-Sign'], /--sign and --key: expected both or neither/],
  ];
  for (const [flags, expected] of cases) {
    const { code, stderr } = await runCli(t, ['invoke', 'f', '-g', gateway.url, ...flags]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
  assert.equal(gateway.seen.length, 0);
});

test('query parameters are encoded and repeatable', async (t) => {
  const gateway = await startGateway(t, echo);
  await runCli(t, ['invoke', 'f', '-g', gateway.url, '--query', 'a=x y', '--query', 'b=c=d']);
  assert.deepEqual(gateway.calls(), ['POST /function/f.openfaas-fn?a=x+y&b=c%3Dd']);
});

test('cli fact 45: --sign adds the HMAC of the body', async (t) => {
  const gateway = await startGateway(t, echo);
  await runCli(t, ['invoke', 'f', '-g', gateway.url, '--sign', 'X-Sign', '--key', 's3'], { stdin: 'body' });
  const expected = createHmac('sha256', 's3').update('body').digest('hex');
  assert.equal(gateway.seen[0]?.headers['x-sign'], `sha256=${expected}`);
});

test('cli fact 46: invoke -a uses /async-function and prints only to standard error', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 202, headers: { 'X-Call-Id': 'c-1' } }));
  const { code, stdout, stderr } = await runCli(t, ['invoke', 'f', '-a', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /asynchronous.*c-1/);
  assert.deepEqual(gateway.calls(), ['POST /async-function/f.openfaas-fn']);
});

test('cli fact 47: another status than 2xx exits 1 and shows status and body', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 500, body: 'it broke' }));
  const { code, stdout, stderr } = await runCli(t, ['invoke', 'f', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /f answered 500 Internal Server Error\nit broke\n/);
});

test('a 404 of the gateway says how functions of other namespaces are named, one of the function does not', async (t) => {
  const internal = { 'X-OpenFaaS-Internal': 'gateway' };
  const gateway = await startGateway(t, ({ path }) => ({ status: 404, headers: path.includes('own') ? {} : internal }));
  const hint = 'f.dev answered 404 Not Found; a function of another namespace is named f --namespace dev\n';
  assert.ok((await runCli(t, ['invoke', 'f.dev', '-g', gateway.url])).stderr.endsWith(hint));
  assert.match((await runCli(t, ['invoke', 'f', '-g', gateway.url])).stderr, /f answered 404 Not Found\n/);
  assert.match((await runCli(t, ['invoke', 'own.dev', '-g', gateway.url])).stderr, /own\.dev answered 404 Not Found\n/);
});

test('invoke -a says that a gateway without a queue takes no asynchronous calls', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404, body: '404 page not found\n' }));
  const { code, stderr } = await runCli(t, ['invoke', 'f', '-a', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /f answered 404 Not Found; this gateway takes no asynchronous calls\n404 page not found\n/);
});

test('the gateway credentials are never sent to a function', async (t) => {
  const gateway = await startGateway(t, echo);
  const home = await makeTmpDir(t);
  const text = `auths:\n- gateway: ${gateway.url}\n  auth: basic\n  token: YTpi\n`;
  await writeFile(join(home, 'config.yml'), text);
  await runCli(t, ['invoke', 'f', '-g', gateway.url], { env: { OPENFAAS_CONFIG: home } });
  assert.equal(gateway.seen[0]?.headers.authorization, undefined);
});

test('a body is sent with GET, and bytes pass unchanged both ways', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const gateway = await startGateway(t, (seen) => ({ body: Buffer.from(seen.body, 'latin1') }));
  const ran = await runCli(t, ['invoke', 'f', '-m', 'GET', '-g', gateway.url], { stdin: bytes });
  assert.deepEqual(ran.bytes, bytes);
  assert.equal(gateway.seen[0]?.method, 'GET');
});

test('a large body is streamed in both directions', async (t) => {
  const large = Buffer.alloc(5 * 1024 * 1024, 'x');
  const gateway = await startGateway(t, (seen) => ({ body: seen.body }));
  const ran = await runCli(t, ['invoke', 'f', '-g', gateway.url], { stdin: large });
  assert.equal(ran.bytes.length, large.length);
});

test('the answer is shown as it comes', async (t) => {
  const shown = Promise.withResolvers<void>();
  const gateway = await startGateway(t, async (_seen, response) => {
    response.write('first');
    await shown.promise;
    response.end(' last');
    return 'handled' as const;
  });
  const { stdout } = await runCli(t, ['invoke', 'f', '-g', gateway.url], { onOutput: () => shown.resolve() });
  assert.equal(stdout, 'first last');
});

test('on a terminal, invoke says that it waits for standard input; in a script it does not', async (t) => {
  const gateway = await startGateway(t, echo);
  assert.match((await runCli(t, ['invoke', 'f', '-g', gateway.url], { tty: true })).stderr, /standard input/);
  assert.equal((await runCli(t, ['invoke', 'f', '-g', gateway.url])).stderr, '');
});

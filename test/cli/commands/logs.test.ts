import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli, startGateway } from '../run-cli.ts';

const message = { name: 'f', namespace: 'openfaas-fn', instance: 'f-1', timestamp: '2026-03-04T05:06:07.089Z', text: 'hello\n' };
const lines = (...messages: object[]) => messages.map((each) => `${JSON.stringify(each)}\n`).join('');
const one = () => ({ body: lines(message) });

test('cli fact 48: logs follows and asks for all lines by default, without a namespace', async (t) => {
  const gateway = await startGateway(t, one);
  const { code, stdout } = await runCli(t, ['logs', 'f', '-g', gateway.url]);
  assert.equal(code, 0);
  assert.equal(stdout, '2026-03-04T05:06:07Z hello\n');
  assert.deepEqual(gateway.calls(), ['GET /system/logs?name=f&tail=-1&follow=true']);
});

test('--tail=false, --lines and -n are passed on', async (t) => {
  const gateway = await startGateway(t, one);
  await runCli(t, ['logs', 'f', '--tail=false', '--lines', '5', '-n', 'photos', '-g', gateway.url]);
  await runCli(t, ['logs', 'f', '-t=false', '--lines=0', '-g', gateway.url]);
  assert.deepEqual(gateway.calls(), [
    'GET /system/logs?name=f&namespace=photos&tail=5&follow=false',
    'GET /system/logs?name=f&follow=false',
  ]);
});

test('cli fact 49: --since sends a time, and --since-time wins over it', async (t) => {
  const gateway = await startGateway(t, one);
  const now = () => Date.parse('2026-01-01T00:10:00.500Z');
  await runCli(t, ['logs', 'f', '--since', '10m', '-g', gateway.url], { now });
  await runCli(t, ['logs', 'f', '--since', '10m', '--since-time', '2025-12-31T00:00:00Z', '-g', gateway.url], { now });
  const since = gateway.seen.map((seen) => new URLSearchParams(seen.path.split('?')[1]).get('since'));
  assert.deepEqual(since, ['2026-01-01T00:00:00Z', '2025-12-31T00:00:00Z']);
});

test('a bad duration, time or number of lines is an error', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--since', 'soon'], /Expected a duration such as 90s/],
    [['--since-time', 'yesterday'], /--since-time: expected a time such as/],
    [['--lines', 'many'], /--lines: expected a whole number, got "many"/],
    [['-o', 'xml'], /Allowed choices are plain, keyvalue, json/],
  ];
  for (const [flags, expected] of cases) {
    const { code, stderr } = await runCli(t, ['logs', 'f', ...flags]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
});

test('cli fact 50: keyvalue lines quote their values and end with a space', async (t) => {
  const gateway = await startGateway(t, one);
  const { stdout } = await runCli(t, ['logs', 'f', '-o', 'keyvalue', '--name', '--instance', '-g', gateway.url]);
  assert.equal(stdout, 'timestamp="2026-03-04T05:06:07Z" name="f" instance="f-1" text="hello" \n');
});

test('cli fact 51: an empty time format hides the time; name and instance can be shown', async (t) => {
  const gateway = await startGateway(t, one);
  const { stdout } = await runCli(t, ['logs', 'f', '--time-format', '', '--name', '--instance', '-g', gateway.url]);
  assert.equal(stdout, 'f (f-1) hello\n');
});

test('json lines are the messages as they came', async (t) => {
  const gateway = await startGateway(t, one);
  for (const flags of [['-o', 'json'], ['-j'], ['--output=json']]) {
    assert.equal((await runCli(t, ['logs', 'f', ...flags, '-g', gateway.url])).stdout, lines(message));
  }
});

test('followed lines are shown as they come, and an interrupt ends the stream', async (t) => {
  const gateway = await startGateway(t, (_seen, response) => {
    response.write(lines(message).slice(0, 20));
    response.write(lines(message).slice(20));
    return 'handled';
  });
  const stop = new AbortController();
  const ran = await runCli(t, ['logs', 'f', '-g', gateway.url], { signal: stop.signal, onOutput: () => stop.abort() });
  assert.equal(ran.code, 130);
  assert.match(ran.stdout, /hello/);
  assert.equal(ran.stderr, '');
});

test('a stream that breaks or holds something else ends with exit code 1', async (t) => {
  const cut = await startGateway(t, (_seen, response) => {
    response.write(lines(message), () => response.destroy());
    return 'handled';
  });
  const broken = await runCli(t, ['logs', 'f', '-g', cut.url]);
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /hello/);
  assert.notEqual(broken.stderr, '');
  const odd = await startGateway(t, () => ({ body: 'plain text\n' }));
  const { code, stderr } = await runCli(t, ['logs', 'f', '-g', odd.url]);
  assert.equal(code, 1);
  assert.match(stderr, /expected a JSON message, got "plain text"/);
});

test('what the gateway says against the logs is shown', async (t) => {
  const gateway = await startGateway(t, () => ({ status: 404, body: 'no function f in namespace openfaas-fn' }));
  const { code, stderr } = await runCli(t, ['logs', 'f', '-g', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /logs of f: 404: no function f in namespace openfaas-fn/);
});

test('logs ignores a broken stack file that it found, and fails on one that was named', async (t) => {
  const gateway = await startGateway(t, one);
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'stack.yaml'), 'functions: [');
  assert.equal((await runCli(t, ['logs', 'f'], { cwd, env: { OPENFAAS_URL: gateway.url } })).code, 0);
  assert.equal((await runCli(t, ['logs', 'f', '-f', 'stack.yaml'], { cwd, env: { OPENFAAS_URL: gateway.url } })).code, 1);
});

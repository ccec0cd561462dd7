// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { accepting, inStack } from '../deploy-gateway.ts';
import { readyStatus, runCli, startGateway } from '../run-cli.ts';

const image = ['deploy', '--image', 'reg/x:1', '--name', 'hello'];

test('deploy waits until the function answers', async (t) => {
  let looks = 0;
  const gateway = await startGateway(
    t,
    accepting((seen) => {
      if (!seen.path.startsWith('/system/function/')) return undefined;
      looks += 1;
      return looks === 1 ? { status: 404 } : { json: readyStatus('hello', { availableReplicas: looks < 4 ? undefined : 1 }) };
    }),
  );
  assert.equal((await runCli(t, [...image, '-g', gateway.url])).code, 0);
  assert.equal(looks, 4);
  await runCli(t, [...image, '-g', gateway.url, '--no-wait']);
  await runCli(t, [...image, '-g', gateway.url, '--wait=false']);
  assert.equal(looks, 4);
});

test('a function that does not work is explained with its reason and last log lines', async (t) => {
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'LoadFailed',
    message: 'handler.js: no handler',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const gateway = await startGateway(
    t,
    accepting((seen) => {
      if (seen.path.startsWith('/system/function/'))
        return { json: readyStatus('hello', { availableReplicas: 0, conditions: [condition] }) };
      if (seen.path.startsWith('/system/logs')) return { body: `${JSON.stringify({ text: 'SyntaxError: oops\n' })}\n` };
      return undefined;
    }),
  );
  const { code, stdout, stderr } = await runCli(t, [...image, '-g', gateway.url]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /hello is deployed but does not work: LoadFailed: handler\.js: no handler\n {2}\| SyntaxError: oops/);
});

test('of a stack trace the lines of the function are shown, not those of Node.js and the watchdog', async (t) => {
  const folder = `/tmp/sluice-1/bundles/openfaas-fn/${'0a'.repeat(32)}`;
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'LoadFailed',
    message: `${folder}/function/handler.js:2 SyntaxError: oops`,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const log = [
    'handler function/handler.js: Error: no database',
    `    at Object.<anonymous> (${folder}/function/handler.js:1:7)`,
    ...Array.from({ length: 9 }, (_, line) => `    at wrapModuleLoad (node:internal/modules/cjs/loader:26${line}:19)`),
    '    at async node:internal/modules/esm/loader:639:32',
    '    at loadHandler (/opt/sluice/dist/watchdog.packed.cjs:2338:22)',
    'sluice: LoadFailed',
  ];
  const gateway = await startGateway(
    t,
    accepting((seen) => {
      if (seen.path.startsWith('/system/function/'))
        return { json: readyStatus('hello', { availableReplicas: 0, conditions: [condition] }) };
      const lines = log.map((text) => `${JSON.stringify({ text: `${text}\n` })}\n`).join('');
      return seen.path.startsWith('/system/logs') ? { body: lines } : undefined;
    }),
  );
  const { stderr } = await runCli(t, [...image, '-g', gateway.url]);
  assert.ok(
    stderr.endsWith(
      'does not work: LoadFailed: function/handler.js:2 SyntaxError: oops\n' +
        '  | handler function/handler.js: Error: no database\n' +
        '  |     at Object.<anonymous> (function/handler.js:1:7)\n' +
        '  | sluice: LoadFailed\n',
    ),
    stderr,
  );
});

test('a function that is not ready in time fails with what was last seen', async (t) => {
  const gateway = await startGateway(
    t,
    accepting((seen) =>
      seen.path.startsWith('/system/function/') ? { json: readyStatus('hello', { availableReplicas: 0 }) } : undefined,
    ),
  );
  const { code, stderr } = await runCli(t, [...image, '-g', gateway.url, '--timeout', '200ms']);
  assert.equal(code, 1);
  assert.match(stderr, /hello did not answer within 0\.2 s: 0 of 1 replicas answer; `sluice describe hello`/);
});

test('cli fact 1: stack.yaml is used when stack.yml is there too, and -f replaces both', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(t, '  from-yaml: {image: a}\n');
  await writeFile(join(cwd, 'stack.yml'), 'provider: {name: openfaas}\nfunctions: {from-yml: {image: a}}\n');
  assert.match((await runCli(t, ['deploy', '-g', gateway.url], { cwd })).stdout, /from-yaml/);
  assert.match((await runCli(t, ['-f', 'stack.yml', 'deploy', '-g', gateway.url], { cwd })).stdout, /from-yml/);
  assert.match((await runCli(t, ['deploy', '-g', gateway.url, '-f=stack.yml'], { cwd })).stdout, /from-yml/);
  assert.equal((await runCli(t, ['deploy', '-g', gateway.url, '-f', ''], { cwd })).code, 1);
});

test('cli fact 2: -f takes a URL, and says so', async (t) => {
  const text = 'provider: {name: openfaas}\nfunctions: {far: {image: "a:${TAG:-7}"}}\n';
  const gateway = await startGateway(
    t,
    accepting((seen) => (seen.path === '/s.yaml' ? { body: text } : undefined)),
  );
  const { stdout, stderr } = await runCli(t, ['deploy', '-f', `${gateway.url}/s.yaml`, '-g', gateway.url]);
  assert.match(stdout, /function\/far/);
  assert.match(stderr, /reading the stack file http/);
  const missing = await runCli(t, ['deploy', '-f', `${gateway.url}/none.yaml`, '-g', gateway.url]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /expected a stack file, got status 404/);
});

test('variables in the stack file are replaced unless --envsubst=false', async (t) => {
  const gateway = await startGateway(t, accepting());
  const cwd = await inStack(t, '  f: {image: a, environment: {A: "${WHO}"}}\n');
  const sent = async (flags: string[]) => {
    await runCli(t, ['deploy', '-g', gateway.url, ...flags], { cwd, env: { WHO: 'me' } });
    return JSON.parse(gateway.seen.findLast((seen) => seen.method === 'PUT')?.body ?? '').envVars.A;
  };
  assert.equal(await sent([]), 'me');
  assert.equal(await sent(['--envsubst=false']), '${WHO}');
  const broken = await inStack(t, '  f: {image: "${BAD"}\n');
  const { stderr } = await runCli(t, ['deploy', '-g', gateway.url], { cwd: broken });
  assert.match(stderr, /stack\.yaml:3: expected a closing brace/);
});

test('deploy --output json lists every function with its address or error', async (t) => {
  const gateway = await startGateway(
    t,
    accepting((seen) => (seen.body.includes('"bad"') ? { status: 500, body: 'no' } : undefined)),
  );
  const cwd = await inStack(t, '  a: {image: a}\n  bad: {image: b}\n');
  const { code, stdout } = await runCli(t, ['deploy', '--output', 'json', '-g', gateway.url], { cwd });
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout), [
    { name: 'a', image: 'a:latest', statusCode: 202, url: `${gateway.url}/function/a`, answers: true, status: 'deployed' },
    { name: 'bad', status: 'failed', error: 'deploying bad: 500: no' },
  ]);
});

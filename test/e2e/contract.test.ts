// Facts of the OpenFaaS contract that only the whole product can show: gateway, provider, watchdog and handler together.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { FunctionStatus } from '../../provider/types/function.ts';
import type { LogMessage } from '../../provider/types/logs.ts';
import { makeBundle, makeHandlerBundle } from '../helpers/bundle.ts';
import { call } from '../helpers/call.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { faasCliSession } from './faas-cli-session.ts';
import { documentedStatuses, readApiDocument } from './openapi.ts';

const statusOf = async (gateway: RunningGateway, name: string): Promise<FunctionStatus> =>
  JSON.parse((await gateway.control('GET', `/system/function/${name}`)).text);

const metricsOf = async (gateway: RunningGateway): Promise<string> =>
  (await call(`http://127.0.0.1:${gateway.metricsPort}`, { path: '/metrics' })).text;

const logsOf = async (gateway: RunningGateway, query: string): Promise<LogMessage[]> =>
  (await gateway.control('GET', `/system/logs?${query}`)).text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const environmentSource = `
import { readFileSync } from 'node:fs';
export const handler = async (request) => {
  console.log('was asked', await request.text());
  const secrets = process.env.secret_mount_path ?? '/var/openfaas/secrets';
  return Response.json({ ...process.env, token: readFileSync(secrets + '/token').toString('hex') });
};`;

const checkEnvironment = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  const value = Buffer.from([0, 255, 10, 13, 10]);
  await gateway.control('POST', '/system/secrets', { name: 'token', rawValue: value.toString('base64') });
  const envVars = { Z: 'z', A: ' a\nb ' };
  await gateway.deployHandler('env', environmentSource, { envProcess: 'node index.js', envVars, secrets: ['token'] });
  const seen = JSON.parse((await gateway.call('env', { method: 'POST', body: 'for it' })).text);

  await t.test('fact 142: envProcess reaches the function as fprocess, and envVars as they are', () => {
    assert.deepEqual([seen.fprocess, seen.Z, seen.A], ['node index.js', 'z', ' a\nb ']);
  });
  await t.test('fact 149: a function knows its name and namespace', () => {
    assert.deepEqual([seen.OPENFAAS_NAME, seen.OPENFAAS_NAMESPACE], ['env', 'openfaas-fn']);
  });
  await t.test('facts 115 and 118: a function reads its secret byte for byte', () =>
    assert.equal(seen.token, value.toString('hex')),
  );
  await t.test('facts 119 and 125: the log has what the function printed, and no line of its own for a call', async () => {
    const lines = await eventually(
      async () => {
        const got = await logsOf(gateway, 'name=env');
        return got.some((line) => line.text.includes('was asked for it')) ? got : undefined;
      },
      { what: 'the printed line is in the log' },
    );
    for (const line of lines) {
      assert.deepEqual(Object.keys(line).sort(), ['instance', 'name', 'namespace', 'text', 'timestamp']);
      assert.doesNotMatch(line.text, /POST/);
    }
  });
};

/** Sends one part, and the next when it is told that the first has arrived. */
const streamSource = `
let release;
export const handler = async (request) => {
  if (request.url.endsWith('/release')) return new Response(String(release?.()));
  const gate = new Promise((resolve) => { release = resolve; });
  return new Response(new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('data: 1\\n\\n'));
      await gate;
      controller.enqueue(new TextEncoder().encode('data: 2\\n\\n'));
      controller.close();
    },
  }), { headers: { 'Content-Type': 'text/event-stream' } });
};`;

const firstPart = async (
  gateway: RunningGateway,
  accept: string | undefined,
): Promise<{ first: string; rest: Promise<string> }> => {
  const headers = accept === undefined ? {} : { Accept: accept };
  const outgoing = request({ host: '127.0.0.1', port: gateway.port, path: '/function/events', headers, agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  incoming.setEncoding('utf8');
  const [first] = (await once(incoming, 'data')) as [string];
  const rest = (async () => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    return text;
  })();
  return { first, rest };
};

const checkStreams = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  await gateway.deployHandler('events', streamSource);
  for (const accept of [undefined, 'text/event-stream', 'application/json, text/event-stream', 'APPLICATION/X-NDJSON']) {
    await t.test(`facts 39, 40 and 41: events are passed when they are made, Accept being ${accept ?? 'absent'}`, async () => {
      const { first, rest } = await firstPart(gateway, accept);
      assert.equal(first, 'data: 1\n\n');
      await gateway.call('events', { path: '/release' });
      assert.equal(await rest, 'data: 2\n\n');
    });
  }
};

const socketSource = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('plain'));
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');
  socket.pipe(socket);
});
server.listen(process.env.SLUICE_UPSTREAM_SOCKET);`;

const checkUpgrade = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  const bundle = await makeBundle('ws', { mode: 'http', fprocess: 'node server.mjs' }, { 'server.mjs': socketSource });
  await gateway.deploy('ws', bundle);
  await t.test('fact 42: a WebSocket is connected with the function, both ways', async () => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'x' };
    const outgoing = request({ host: '127.0.0.1', port: gateway.port, path: '/function/ws', headers, agent: false });
    outgoing.end();
    const [answer, socket] = (await once(outgoing, 'upgrade')) as [IncomingMessage, Socket];
    assert.equal(answer.statusCode, 101);
    socket.write('frame');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    assert.equal(echo.toString(), 'frame');
    socket.destroy();
  });
};

const checkZero = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  await gateway.deployHandler('sleepy', `export const handler = () => new Response(String(process.pid));`);
  await t.test('facts 105, 106 and 108: callers at zero wait for one replica, which answers them all', async () => {
    const scaled = await gateway.control('POST', '/system/scale-function/sleepy', { serviceName: 'sleepy', replicas: 0 });
    assert.equal(scaled.status, 202);
    await eventually(async () => ((await statusOf(gateway, 'sleepy')).availableReplicas ?? 0) === 0, { what: 'it is at zero' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.call('sleepy')));
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    assert.equal((await statusOf(gateway, 'sleepy')).replicas, 1);
  });
};

const checkMetrics = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  await gateway.deployHandler('counted', `export const handler = () => new Response('', { status: 418 });`);
  await t.test('facts 130, 131, 132 and 134: a call is in the metrics on the metrics port, under the full name', async () => {
    await gateway.call('counted');
    const text = await metricsOf(gateway);
    assert.match(text, /^gateway_function_invocation_total\{function_name="counted\.openfaas-fn",code="418"\} 1$/m);
    assert.match(text, /^gateway_function_invocation_started\{function_name="counted\.openfaas-fn"\} 1$/m);
    assert.match(text, /^gateway_functions_seconds_count\{function_name="counted\.openfaas-fn",code="418"\} 1$/m);
    assert.match(text, /^gateway_service_count\{function_name="counted\.openfaas-fn"\} 1$/m);
  });
  await t.test('fact 133: the series of a removed function vanish', async () => {
    assert.equal((await gateway.control('DELETE', '/system/functions', { functionName: 'counted' })).status, 202);
    await eventually(async () => !(await metricsOf(gateway)).includes('counted.openfaas-fn'), { what: 'no series is left' });
  });
  await t.test('facts 1 and 2: metrics are on their own port only, which has /healthz and nothing else', async () => {
    const own = `http://127.0.0.1:${gateway.metricsPort}`;
    assert.equal((await call(gateway.url, { path: '/metrics' })).status, 404);
    const health = await call(own, { path: '/healthz' });
    assert.deepEqual([health.status, health.text], [200, 'OK']);
    assert.equal((await call(own, { path: '/healthz', method: 'POST' })).status, 405);
    assert.equal((await call(own, { path: '/system/functions' })).status, 404);
  });
};

const checkPaths = async (t: TestContext, gateway: RunningGateway): Promise<void> => {
  for (const [title, method, path] of [
    ['fact 13: a name with a character that none may have', 'GET', '/function/bad%20name'],
    ['fact 14: no name', 'GET', '/function/'],
    ['fact 46: an empty name before the dot', 'POST', '/function/.openfaas-fn'],
    ['fact 48: asynchronous calls without a queue', 'GET', '/async-function/fn'],
    ['fact 58: cancelling one', 'DELETE', '/async-function/3f2b'],
  ] as const) {
    await t.test(`${title} is 404`, async () => assert.equal((await call(gateway.url, { method, path })).status, 404));
  }
  await t.test('fact 11: calls and /healthz are never asked for credentials of the gateway', async () => {
    assert.equal((await call(gateway.url, { path: '/healthz' })).status, 200);
    assert.equal((await call(gateway.url, { path: '/function/none', headers: { Authorization: 'Basic xx' } })).status, 404);
  });
};

test('the contract over the whole product', async (t) => {
  const gateway = await startGateway(t);
  await checkPaths(t, gateway);
  await checkEnvironment(t, gateway);
  await checkStreams(t, gateway);
  await checkUpgrade(t, gateway);
  await checkZero(t, gateway);
  await checkMetrics(t, gateway);
});

test('what faas-cli sends is answered with what it takes', async (t) => {
  const gateway = await startGateway(t, { args: ['--sample=false'] });
  const bundle = await makeHandlerBundle(
    'got',
    `export const handler = async (request) => new Response('got ' + await request.text());`,
  );
  assert.equal((await gateway.control('PUT', `/system/bundles/${bundle.digest}`, bundle.bytes)).status, 201);
  const document = await readApiDocument(gateway);
  const authorization = `Basic ${Buffer.from(`${gateway.user}:${gateway.password}`).toString('base64')}`;
  for (const { command, method, path, body, expected, answer } of faasCliSession(bundle.image)) {
    const headers: Record<string, string> = { 'User-Agent': 'faas-cli/0.18.0', 'Accept-Encoding': 'gzip' };
    if (path.startsWith('/system/')) headers.Authorization = authorization;
    if (body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(body));
    if (body !== undefined) headers['Content-Type'] = path.startsWith('/system/') ? 'application/json' : 'text/plain';
    const got = await call(gateway.url, { method, path, headers, ...(body === undefined ? {} : { body }) });
    assert.equal(got.status, expected, `${command}: ${got.text}`);
    if (answer !== undefined) assert.match(got.text, answer, command);
    const isControl = !/^\/(async-)?function\//.test(path);
    if (isControl)
      assert.ok(documentedStatuses(document, method, path)?.includes(expected), `${command}: ${expected} is not documented`);
  }
});

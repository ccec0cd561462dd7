import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type Gateway, type GatewayOptions, startGateway } from '../../gateway/main.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { call } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { createMemoryProvider, type MemoryProvider, type MemoryProviderOptions } from '../memory/provider.ts';

type Started = Gateway & {
  readonly provider: MemoryProvider;
  readonly lines: Record<string, unknown>[];
  readonly authorization: string;
};

const memoryLog = (lines: Record<string, unknown>[]) =>
  pino(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()));
        done();
      },
    }),
  );

const start = async (
  t: TestContext,
  options: Partial<GatewayOptions> = {},
  memory: MemoryProviderOptions = {},
): Promise<Started> => {
  const dataDir = await makeTmpDir(t);
  const provider = createMemoryProvider(memory);
  const lines: Record<string, unknown>[] = [];
  const gateway = await startGateway({
    env: {},
    log: memoryLog(lines),
    openProvider: async () => provider,
    ...options,
    argv: ['--port=0', '--metrics-port=0', '--data-dir', dataDir, ...(options.argv ?? [])],
  });
  onEnd(t, () => gateway.close());
  const { user, password } = gateway.credentials ?? { user: '', password: '' };
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { ...gateway, provider, lines, authorization };
};

const deploy = (gateway: Started, body: object) => {
  const text = JSON.stringify(body);
  return call(gateway.url, {
    method: 'POST',
    path: '/system/functions',
    headers: { Authorization: gateway.authorization, 'Content-Length': String(text.length) },
    body: text,
  });
};

test('a gateway takes a deployment and calls it right after the 202', async (t) => {
  const gateway = await start(t);
  assert.equal(gateway.credentials?.generated, true);
  assert.equal((await deploy(gateway, { service: 'fn', image: 'echo:1' })).status, 202);
  const answer = await call(gateway.url, { path: '/function/fn/a?b=c' });
  assert.equal(answer.status, 200);
  assert.equal(JSON.parse(answer.text).url, '/a?b=c');
});

test('facts 130, 134 and 136: a call without namespace is counted under the default one, in metrics and in the list', async (t) => {
  const gateway = await start(t);
  await deploy(gateway, { service: 'fn', image: 'echo:1' });
  await call(gateway.url, { path: '/function/fn' });
  await call(gateway.url, { path: '/function/fn.openfaas-fn' });
  const { text } = await call(gateway.metricsUrl, { path: '/metrics' });
  assert.match(text, /^gateway_function_invocation_total\{function_name="fn\.openfaas-fn",code="200"\} 2$/m);
  assert.match(text, /^gateway_function_invocation_started\{function_name="fn\.openfaas-fn"\} 2$/m);
  const list = await call(gateway.url, { path: '/system/functions', headers: { Authorization: gateway.authorization } });
  assert.equal(JSON.parse(list.text)[0].invocationCount, 2);
});

test('fact 135: a call of an unknown function is 404 and makes no series', async (t) => {
  const gateway = await start(t);
  assert.equal((await call(gateway.url, { path: '/function/none' })).status, 404);
  const { text } = await call(gateway.metricsUrl, { path: '/metrics' });
  assert.doesNotMatch(text, /none/);
});

test('fact 15: a control path that is not clean is redirected to its clean form', async (t) => {
  const gateway = await start(t);
  for (const [path, clean] of [
    ['//system/functions?namespace=a', '/system/functions?namespace=a'],
    ['/system/./info', '/system/info'],
    ['/ui/../healthz', '/healthz'],
  ] as const) {
    const answer = await call(gateway.url, { path });
    assert.deepEqual([answer.status, answer.headers.location], [301, clean]);
  }
});

test('a refused upload that waits to be asked for its body is answered without asking', async (t) => {
  const gateway = await start(t);
  const answer = await call(gateway.url, {
    method: 'PUT',
    path: `/system/bundles/${'a'.repeat(64)}`,
    headers: { Expect: '100-continue', 'Content-Length': '10' },
    body: '0123456789',
  });
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.connection, 'close');
});

test('given credentials are used and no others are made', async (t) => {
  const secrets = await makeTmpDir(t);
  await writeFile(join(secrets, 'basic-auth-user'), 'ann\n');
  await writeFile(join(secrets, 'basic-auth-password'), 'pass\n');
  const gateway = await start(t, { env: { secret_mount_path: secrets, basic_auth: 'true' } });
  assert.deepEqual(
    [gateway.credentials?.user, gateway.credentials?.password, gateway.credentials?.generated],
    ['ann', 'pass', false],
  );
  assert.deepEqual(await readdir(gateway.dataDir), []);
  const answer = await call(gateway.url, { path: '/system/functions', headers: { Authorization: gateway.authorization } });
  assert.equal(answer.status, 200);
});

test('basic_auth=false opens everything and warns', async (t) => {
  const gateway = await start(t, { env: { basic_auth: 'false' } });
  assert.equal(gateway.credentials, undefined);
  assert.equal((await call(gateway.url, { path: '/system/functions' })).status, 200);
  assert.ok(gateway.lines.some((line) => line.level === 40 && String(line.msg).startsWith('basic_auth is false')));
});

test('the log says that the gateway is ready, and never a password', async (t) => {
  const gateway = await start(t);
  await call(gateway.url, { path: '/system/functions', headers: { Authorization: gateway.authorization } });
  assert.ok(gateway.lines.some((line) => line.msg === 'gateway is ready' && line.url === gateway.url));
  const all = JSON.stringify(gateway.lines);
  assert.ok(!all.includes(gateway.credentials?.password ?? '-') && !all.includes(gateway.authorization.slice(6)));
});

test('calls are logged when asked for, also where the log tells warnings only, and not otherwise', async (t) => {
  const callsOf = async (argv: string[]): Promise<unknown[]> => {
    const lines: Record<string, unknown>[] = [];
    const log = memoryLog(lines);
    log.level = 'warn';
    const gateway = await start(t, { argv, log });
    await deploy(gateway, { service: 'fn', image: 'x' });
    await call(gateway.url, { path: '/function/fn?secret=1', headers: { 'X-Call-Id': 'abc' } });
    await gateway.close();
    assert.ok(!JSON.stringify(lines).includes('secret=1'));
    return lines.filter(({ part }) => part === 'call').map(({ callId, fn, status }) => [callId, fn, status]);
  };
  assert.deepEqual(await callsOf(['--access-log', 'all']), [['abc', 'fn.openfaas-fn', 200]]);
  assert.deepEqual(await callsOf(['--access-log', 'errors']), []);
  assert.deepEqual(await callsOf([]), []);
});

test("the gateway's limits hold for functions without their own", async (t) => {
  const gateway = await start(t, { argv: ['--max-inflight', '1', '--max-queue', '0'] });
  await deploy(gateway, { service: 'fn', image: 'x' });
  await deploy(gateway, { service: 'free', image: 'x', annotations: { 'sluice.dev/max-inflight': '0' } });
  const burst = (name: string) => Promise.all(Array.from({ length: 20 }, () => call(gateway.url, { path: `/function/${name}` })));
  assert.ok((await burst('fn')).some(({ status }) => status === 429));
  assert.ok((await burst('free')).every(({ status }) => status === 200));
  const metrics = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  assert.match(metrics, /gateway_function_refused_total\{function_name="fn.openfaas-fn",reason="MaxInflight"\} \d/);
});

const refusal = async (options: GatewayOptions): Promise<FaasError> => {
  try {
    const gateway = await startGateway(options);
    await gateway.close();
  } catch (error) {
    assert.ok(error instanceof FaasError, String(error));
    return error;
  }
  return assert.fail('it started');
};

for (const flag of ['port', 'metrics-port'] as const) {
  test(`a taken --${flag} stops the start, names the holder and closes what was begun`, async (t) => {
    const taken = await listen(t, (_req, res) => res.end());
    const provider = createMemoryProvider();
    let closed = false;
    const ports = { port: '0', 'metrics-port': '0', [flag]: String(taken.port) };
    const error = await refusal({
      argv: [`--port=${ports.port}`, `--metrics-port=${ports['metrics-port']}`, '--data-dir', await makeTmpDir(t)],
      env: {},
      log: memoryLog([]),
      openProvider: async () => ({
        ...provider,
        close: async () => {
          closed = true;
        },
      }),
    });
    assert.equal(error.code, 'conflict');
    const holder = process.platform === 'linux' ? `process ${process.pid} (` : 'another process';
    assert.ok(error.message.startsWith(`--${flag}: 127.0.0.1:${taken.port} is in use by ${holder}`), error.message);
    assert.equal(closed, true);
  });
}

test('a host that is not this machine is named', async (t) => {
  const error = await refusal({
    argv: ['--host', '192.0.2.1', '--port=0', '--metrics-port=0', '--data-dir', await makeTmpDir(t)],
    env: {},
    log: memoryLog([]),
    openProvider: async () => createMemoryProvider(),
  });
  assert.equal(error.code, 'invalid');
  assert.match(error.message, /^--host: expected an address of this machine, got "192\.0\.2\.1"/);
});

test('a bad setting stops the start before anything is touched', async (t) => {
  const dataDir = join(await makeTmpDir(t), 'new');
  const error = await refusal({ argv: ['--port', 'x', '--data-dir', dataDir], env: {}, log: memoryLog([]) });
  assert.equal(error.code, 'invalid');
  await assert.rejects(stat(dataDir), { code: 'ENOENT' });
});

test('credentials that cannot be read stop the start', {
  skip: process.getuid?.() === 0 && 'root reads everything',
}, async (t) => {
  const dataDir = await makeTmpDir(t);
  await mkdir(join(dataDir, 'credentials'), { mode: 0o700 });
  await writeFile(join(dataDir, 'credentials', 'basic-auth-password'), 'x');
  await chmod(join(dataDir, 'credentials', 'basic-auth-password'), 0);
  const error = await refusal({ argv: ['--data-dir', dataDir], env: {}, log: memoryLog([]) });
  assert.match(error.message, /basic-auth-password: expected a readable file/);
});

test('a gateway that stops finishes running calls, takes no new ones and is not ready meanwhile', async (t) => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const gateway = await start(
    t,
    {},
    {
      functions: {
        held: () => (_req, res) => {
          begun.resolve();
          finish.promise.then(() => res.end('finished'));
        },
      },
    },
  );
  await deploy(gateway, { service: 'fn', image: 'held:1' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onEnd(t, () => agent.destroy());
  assert.equal((await call(gateway.url, { path: '/healthz', agent })).status, 200);
  const running = call(gateway.url, { path: '/function/fn' });
  await begun.promise;
  const closing = gateway.close();
  await assert.rejects(call(gateway.url, { path: '/healthz' }), { code: 'ECONNREFUSED' });
  finish.resolve();
  assert.equal((await running).text, 'finished');
  await closing;
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { type CallOptions, call, watchdogPath } from './blank-process.ts';

type Alone = {
  readonly child: ChildProcess;
  readonly dir: string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output(): { stdout: string; stderr: string };
  call(path: string, options?: CallOptions): ReturnType<typeof call>;
  metrics(): ReturnType<typeof call>;
  sees(text: RegExp): Promise<RegExpExecArray>;
};

/** A watchdog started as in an image, on free ports; its temporary directory is the working directory too. */
const launch = (t: TestContext, env: Record<string, string>, files: Record<string, string> = {}, args: string[] = []): Alone => {
  const dir = mkdtempSync(join(tmpdir(), 'wa-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const child = spawn(process.execPath, [watchdogPath, ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, TMPDIR: dir, port: '0', metrics_port: '0', healthcheck_interval: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  onEnd(t, async () => {
    // With what it has started: a watchdog that is killed ends nobody.
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL');
    await exited;
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const sees = async (text: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = text.exec(output.stderr + output.stdout);
      if (found !== null) return found;
      const over = await Promise.race([once(child.stderr!, 'data'), once(child.stdout!, 'data'), exited.then(() => undefined)]);
      if (over === undefined && !text.test(output.stderr + output.stdout))
        throw new Error(`ended without ${text}: ${output.stderr}`);
    }
  };
  const port = async (what: string) => Number((await sees(new RegExp(`${what} on port: (\\d+)`)))[1]);
  return {
    child,
    dir,
    exited,
    sees,
    output: () => output,
    call: async (path, options) => call({ host: '127.0.0.1', port: await port(' Listening') }, path, options),
    metrics: async () => call({ host: '127.0.0.1', port: await port('Metrics listening') }, '/metrics'),
  };
};

const handler = {
  'h.js':
    'module.exports = async (e, c) => { if (e.path === "/slow") { console.log("in"); await new Promise((go) => setTimeout(go, 80)) } return "ok" }',
};
const inproc = { mode: 'inproc', handler: 'h.js' };
const locked = async (alone: Alone): Promise<void> => {
  while ((await alone.call('/_/health')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
};

test('alone it serves a handler, is healthy by its lock file, and counts on the metrics port (facts 13, 15, 17, 62)', async (t) => {
  const alone = launch(t, inproc, handler);
  await locked(alone);
  assert.ok(existsSync(join(alone.dir, '.lock')));
  assert.equal((await alone.call('/')).body, 'ok');
  assert.match((await alone.metrics()).body, /http_requests_total\{code="200",method="get"\} 1/);
  rmSync(join(alone.dir, '.lock'));
  assert.equal((await alone.call('/_/health')).status, 503);
  assert.equal((await alone.call('/_/ready')).status, 503);
  assert.equal((await alone.call('/')).status, 200);
});

test('suppress_lock writes no file and stays healthy (fact 16)', async (t) => {
  const alone = launch(t, { ...inproc, suppress_lock: 'true' }, handler);
  await locked(alone);
  assert.equal(existsSync(join(alone.dir, '.lock')), false);
});

test('the default mode is streaming, and function_process wins over fprocess (facts 2, 6)', async (t) => {
  const alone = launch(t, { fprocess: 'false', function_process: 'echo won' });
  assert.equal((await alone.call('/')).body, 'won\n');
  assert.match(alone.output().stderr, /Version: /);
});

test('-run-healthcheck tells by the lock file (fact 12); -version prints and exits', async (t) => {
  assert.equal((await launch(t, inproc, { '.lock': '' }, ['-run-healthcheck']).exited).code, 0);
  const without = launch(t, inproc, {}, ['-run-healthcheck']);
  assert.equal((await without.exited).code, 1);
  assert.match(without.output().stderr, /unable to find lock file/);
  const version = launch(t, {}, {}, ['-version']);
  assert.equal((await version.exited).code, 0);
  assert.match(version.output().stdout, /^sluice watchdog \d/);
});

const refusals: readonly { name: string; env: Record<string, string>; code: number; message: RegExp }[] = [
  { name: 'no fprocess (fact 1)', env: {}, code: 1, message: /fprocess: expected the command/ },
  { name: 'write_timeout=0 (fact 3)', env: { fprocess: 'cat', write_timeout: '0' }, code: 1, message: /write_timeout/ },
  {
    name: 'an unknown mode (fact 4)',
    env: { fprocess: 'cat', mode: 'afterburn' },
    code: 2,
    message: /mode: expected .*"afterburn"/,
  },
  {
    name: 'a bad log_buffer_size (fact 9)',
    env: { fprocess: 'cat', log_buffer_size: 'zz' },
    code: 1,
    message: /log_buffer_size: .*"zz"/,
  },
  {
    name: 'a bad duration and a bad port at once (facts 7, 11)',
    env: { fprocess: 'cat', read_timeout: 'x', port: 'abc' },
    code: 1,
    message: /read_timeout.*; .*port: |port: .*; read_timeout/,
  },
  { name: 'jwt_auth (fact 77)', env: { fprocess: 'cat', jwt_auth: 'true' }, code: 1, message: /jwt_auth/ },
  {
    name: 'a temporary directory that is not there',
    env: { fprocess: 'cat', TMPDIR: '/no/such' },
    code: 1,
    message: /lock file: ENOENT/,
  },
];

for (const { name, env, code, message } of refusals) {
  test(`${name} stops the start with exit code ${code}`, async (t) => {
    const alone = launch(t, env);
    assert.deepEqual(await alone.exited, { code, signal: null });
    assert.match(alone.output().stderr, message);
  });
}

const occupied = async (t: TestContext): Promise<string> => {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onEnd(t, () => server.close());
  return String((server.address() as AddressInfo).port);
};

test('a port in use stops the start: 1 for the main port, 2 for metrics (facts 58, 59)', async (t) => {
  const port = await occupied(t);
  const main = launch(t, { ...inproc, port }, handler);
  assert.equal((await main.exited).code, 1);
  assert.match(main.output().stderr, new RegExp(`port ${port}: .*EADDRINUSE`));
  assert.equal((await launch(t, { ...inproc, metrics_port: port }, handler).exited).code, 2);
});

test('SIGTERM: unhealthy and unlocked at once, served during the interval, running calls finished, exit 0 (fact 54)', async (t) => {
  const alone = launch(t, { ...inproc, healthcheck_interval: '150ms' }, handler);
  await locked(alone);
  const slow = alone.call('/slow');
  await alone.sees(/^in$/m);
  alone.child.kill('SIGTERM');
  await alone.sees(/Stopping/);
  assert.equal((await alone.call('/_/health')).status, 503);
  assert.equal((await alone.call('/_/ready')).status, 503);
  assert.equal(existsSync(join(alone.dir, '.lock')), false);
  assert.equal((await alone.call('/')).status, 200);
  assert.equal((await slow).body, 'ok');
  assert.equal((await alone.exited).code, 0);
});

test('the drain is capped by write_timeout, and what is left is cut (fact 55)', async (t) => {
  const alone = launch(
    t,
    { ...inproc, write_timeout: '100ms' },
    {
      'h.js':
        'module.exports = async (e, c) => { console.log("in"); return (async function* () { yield "x"; await new Promise(() => {}) })() }',
    },
  );
  const call = alone.call('/').catch((error: Error) => error.message);
  await alone.sees(/^in$/m);
  alone.child.kill('SIGTERM');
  assert.match(String(await call), /aborted|hang up/);
  assert.equal((await alone.exited).code, 0);
});

test('healthcheck_interval=0 ends at once, and SIGINT is as SIGTERM (facts 56, 57)', async (t) => {
  const alone = launch(t, inproc, handler);
  await locked(alone);
  alone.child.kill('SIGINT');
  assert.deepEqual(await alone.exited, { code: 0, signal: null });
  assert.equal(existsSync(join(alone.dir, '.lock')), false);
});

test('the access log has a line a call, with the call id where wanted, and none for kube-probe (facts 44, 45)', async (t) => {
  const alone = launch(t, { ...inproc, log_callid: '1' }, handler);
  await alone.call('/a?b', { headers: { 'user-agent': 'kube-probe/1.30' } });
  await alone.call('/c?d', { headers: { 'x-call-id': 'abc' } });
  await alone.call('/e');
  await alone.sees(/GET \/e - 200 OK - ContentLength: 2B \(\d\.\d{4}s\) \[none\]/);
  await alone.sees(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d GET \/c\?d - 200 OK - ContentLength: 2B \(\d\.\d{4}s\) \[abc\]$/m);
  assert.doesNotMatch(alone.output().stderr, /GET \/a\?b/);
});

const server = 'require("node:http").createServer((q, s) => s.end("up")).listen(process.env.SLUICE_UPSTREAM_SOCKET)';

test('http alone: not ready before the function listens, output with date and stream name (facts 22, 46)', async (t) => {
  const alone = launch(
    t,
    { mode: 'http', fprocess: `${process.execPath} s.js` },
    {
      // It watches before it speaks: what the test does then is not missed.
      's.js': `process.stdin.resume(); require("node:fs").watch(".", () => require("node:fs").existsSync("go") && !globalThis.up && (globalThis.up = ${server})); console.log("hi"); console.error("oh")`,
    },
  );
  await alone.sees(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d stdout: hi$/m);
  await alone.sees(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d stderr: oh$/m);
  assert.equal((await alone.call('/_/ready')).status, 503);
  assert.equal((await alone.call('/')).status, 500);
  writeFileSync(join(alone.dir, 'go'), '');
  while ((await alone.call('/_/ready')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await alone.call('/')).body, 'up');
});

test('a child that ends ends the watchdog with 1, whatever its own code (facts 49, 50)', async (t) => {
  for (const code of [0, 3]) {
    const alone = launch(t, { mode: 'http', fprocess: `${process.execPath} s.js` }, { 's.js': `process.exit(${code})` });
    assert.equal((await alone.exited).code, 1);
    assert.match(alone.output().stderr, new RegExp(`exited with code ${code}`));
  }
});

test('a line over log_buffer_size is split and the stream goes on (fact 47)', async (t) => {
  const alone = launch(
    t,
    { mode: 'http', fprocess: `${process.execPath} s.js`, log_buffer_size: '1000' },
    { 's.js': `console.log("x".repeat(2500)); console.log("after"); ${server}` },
  );
  await alone.sees(/stdout: after$/m);
  const lengths = [...alone.output().stdout.matchAll(/stdout: (x+)$/gm)].map((match) => match[1]?.length);
  assert.deepEqual(lengths, [1000, 1000, 500]);
});

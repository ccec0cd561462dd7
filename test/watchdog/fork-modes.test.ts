import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { eventually, within } from '../helpers/eventually.ts';
import { open, startBlank, textOf } from './blank-process.ts';

const start = async (
  t: TestContext,
  mode: 'streaming' | 'serializing',
  fprocess: string,
  environment: Record<string, string> = {},
  files: Record<string, string> = {},
) => {
  const blank = await startBlank(t, files);
  const answer = await blank.specialize({
    mode,
    handler: undefined,
    environment: { PATH: process.env.PATH ?? '', fprocess, ...environment },
  });
  assert.equal(answer.status, 200, answer.body);
  return blank;
};

const variables = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

test('streaming: the body goes in and comes out, as octets by default (fact 65)', async (t) => {
  const blank = await start(t, 'streaming', 'cat');
  const answer = await blank.call('/', { body: 'through' });
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.body], [200, 'application/octet-stream', 'through']);
});

test('content_type is the type in forking modes (fact 70)', async (t) => {
  for (const mode of ['streaming', 'serializing'] as const) {
    const blank = await start(t, mode, 'cat', { content_type: 'text/x' });
    assert.equal((await blank.call('/', { body: 'x' })).headers['content-type'], 'text/x');
  }
});

test('the request is in Http_ variables, first values only (facts 68, 69)', async (t) => {
  const blank = await start(t, 'streaming', 'env');
  const answer = await blank.call('/p/a?q=1&r', {
    method: 'PUT',
    headers: { 'x-call-id': 'id', 'x-multi': ['1', '2'], proxy: 'evil' },
    body: 'abc',
  });
  const env = variables(answer.body);
  const { Http_Method, Http_Path, Http_Query, Http_X_Call_Id, Http_X_Multi, Http_Content_Length, Http_Host, Http_Proxy } = env;
  assert.deepEqual(
    { Http_Method, Http_Path, Http_Query, Http_X_Call_Id, Http_X_Multi, Http_Content_Length, Http_Host, Http_Proxy },
    {
      Http_Method: 'PUT',
      Http_Path: '/p/a',
      Http_Query: 'q=1&r',
      Http_X_Call_Id: 'id',
      Http_X_Multi: '1',
      Http_Content_Length: '3',
      Http_Host: undefined,
      Http_Proxy: undefined,
    },
  );
  const chunked = variables(
    (await blank.call('/', { method: 'POST', headers: { 'transfer-encoding': 'chunked' }, body: 'x' })).body,
  );
  assert.equal(chunked.Http_Transfer_Encoding, 'chunked');
  assert.equal(chunked.Http_Query, undefined);
});

test('fprocess is split at single spaces, without quoting (fact 72)', async (t) => {
  const blank = await start(t, 'streaming', 'printf [%s] a  "b c"');
  assert.equal((await blank.call('/')).body, '[a][]["b][c"]');
});

test('streaming: a failure before any output is 500 with the reason (fact 66)', async (t) => {
  const blank = await start(t, 'streaming', 'false');
  const answer = await blank.call('/');
  assert.deepEqual([answer.status, answer.headers['x-openfaas-internal']], [500, 'watchdog']);
  assert.match(answer.body, /exited with code 1/);
  const missing = await start(t, 'streaming', 'no-such-command');
  assert.match((await missing.call('/')).body, /no-such-command.*ENOENT/);
  assert.equal((await missing.call('/')).status, 500);
});

for (const mode of ['streaming', 'serializing'] as const) {
  test(`${mode}: a request that no process can be started for is 431, and no other call hears of it`, async (t) => {
    const blank = await start(t, mode, 'sh f.sh', {}, { 'f.sh': 'echo begun >&2; cat; until [ -e go ]; do sleep 0.01; done' });
    const running = blank.call('/', { body: 'running' });
    await within(blank.printed('stderr', /begun/), 'the first call to run');
    const answer = await blank.call('/', { headers: { 'x-large': 'x'.repeat(1_000_000) } });
    assert.deepEqual(
      [answer.status, answer.headers['x-openfaas-internal'], answer.headers['x-error-code']],
      [431, 'watchdog', 'headers-too-large'],
    );
    assert.match(answer.body, /sh f\.sh: path and headers of the request do not fit/);
    writeFileSync(join(blank.dir, 'go'), '');
    assert.equal((await within(running, 'the first call to end')).body, 'running');
  });
}

test('streaming: a failure after output cuts the connection', async (t) => {
  const blank = await start(t, 'streaming', 'sh f.sh', {}, { 'f.sh': 'echo begin; sleep 0.05; exit 4' });
  const message = await open(blank.target, '/');
  assert.equal(message.statusCode, 200);
  await assert.rejects(textOf(message), /aborted/);
});

test('streaming: output arrives as it is written', async (t) => {
  const blank = await start(t, 'streaming', 'sh f.sh', {}, { 'f.sh': 'echo one; read line; echo $line' });
  const socket = connect(blank.socketPath);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  while (!text.includes('one')) await once(socket, 'data');
  socket.write('4\r\ntwo\n\r\n0\r\n\r\n');
  while (!text.includes('two')) await once(socket, 'data');
  socket.destroy();
});

test('streaming: exec_timeout is 504, and everything that the call started is gone (fact 67)', async (t) => {
  // As long as a shell may take on a busy machine until it has said who its child is.
  const blank = await start(t, 'streaming', 'sh f.sh', { exec_timeout: '2s' }, { 'f.sh': 'sleep 30 & echo $! >&2; wait' });
  const answer = await blank.call('/');
  assert.equal(answer.status, 504);
  await within(blank.printed('stderr', /^\d+\n/), 'the id of the process');
  const pid = Number(blank.output().stderr);
  await gone(pid);
});

test('a client that leaves ends everything that its call started', async (t) => {
  const blank = await start(t, 'streaming', 'sh f.sh', {}, { 'f.sh': 'sleep 30 & echo $! >&2; wait' });
  const socket = connect(blank.socketPath);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await blank.printed('stderr', /^\d+\n/);
  socket.destroy();
  await gone(Number(blank.output().stderr));
});

test('a function need not read its input', async (t) => {
  const blank = await start(t, 'streaming', 'echo done');
  // A connection that closes with the answer would reset a client that is still sending.
  const answer = await blank.call('/', { headers: { connection: 'keep-alive' }, body: Buffer.alloc(1024 * 1024) });
  assert.deepEqual([answer.status, answer.body], [200, 'done\n']);
});

test('serializing: success has a length and its duration, failure is 500 with the error (fact 71)', async (t) => {
  const blank = await start(t, 'serializing', 'cat');
  const answer = await blank.call('/', { body: 'whole' });
  assert.deepEqual([answer.status, answer.headers['content-length'], answer.body], [200, '5', 'whole']);
  assert.match(String(answer.headers['x-duration-seconds']), /^\d+\.\d{6}$/);
  const failing = await start(t, 'serializing', 'sh f.sh', {}, { 'f.sh': 'echo partial; exit 2' });
  const failure = await failing.call('/');
  assert.equal(failure.status, 500);
  assert.match(failure.body, /exited with code 2/);
  assert.doesNotMatch(failure.body, /partial/);
  const missing = await start(t, 'serializing', 'no-such-command');
  assert.equal((await missing.call('/')).status, 500);
});

test('serializing: exec_timeout is 504', async (t) => {
  const blank = await start(t, 'serializing', 'sleep 30', { exec_timeout: '50ms' });
  assert.equal((await blank.call('/')).status, 504);
});

test('stderr of a function is logged, its stdout is the answer (fact 48)', async (t) => {
  const blank = await start(t, 'streaming', 'sh f.sh', {}, { 'f.sh': 'echo err >&2; echo out' });
  assert.equal((await blank.call('/')).body, 'out\n');
  await blank.printed('stderr', /^err\n$/);
  assert.equal(blank.output().stdout, '');
});

const gone = async (pid: number): Promise<void> => {
  const { existsSync, readFileSync } = await import('node:fs');
  const runs = () => {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    // A killed orphan may stay a zombie where nobody reaps.
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  };
  await eventually(() => !runs(), { what: `the end of process ${pid}` });
};

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';
import { listen, listenTcp } from './listen.ts';
import { startLoad, versionSpans } from './load.ts';
import { makeTmpDir } from './tmp.ts';
import { startUpstream } from './upstream.ts';

const plan = { path: '/function/fn', ratePerS: 200, timeoutMs: 500 };

test('load has both methods, half of it on fresh connections, at its rate', async (t) => {
  const upstream = await startUpstream(t, (request, response) => response.end(`v1\n${request.body}`));
  const load = await startLoad(t, { ...plan, target: { host: '127.0.0.1', port: upstream.port } });
  const startedMs = performance.now();
  await eventually(() => upstream.requests.length >= 100, { what: '100 requests' });
  const elapsedMs = performance.now() - startedMs;
  const result = await load.stop();
  assert.deepEqual(result.failures, []);
  assert.equal(result.answers.length, result.sent);
  assert.ok(elapsedMs > 350 && elapsedMs < 10_000, `100 calls took ${elapsedMs} ms`);
  const share = (test: (answer: (typeof result.answers)[number]) => boolean): number =>
    result.answers.filter(test).length / result.answers.length;
  assert.ok(Math.abs(share((answer) => answer.fresh) - 0.5) < 0.05);
  assert.ok(Math.abs(share((answer) => answer.method === 'POST') - 0.5) < 0.05);
  assert.ok(Math.abs(share((answer) => answer.method === 'POST' && answer.fresh) - 0.25) < 0.05);
  assert.ok(upstream.requests.filter((request) => request.method === 'POST').every((request) => request.body.length === 1024));
});

test('a slow answer does not slow the load down', async (t) => {
  const waiting: (() => void)[] = [];
  const dir = await makeTmpDir(t);
  const path = `${dir}/s`;
  await startUpstream(t, (request, response) => waiting.push(() => response.end(`v1\n${request.body}`)), path);
  const load = await startLoad(t, { ...plan, timeoutMs: 10_000, target: { socketPath: path } });
  await eventually(() => waiting.length >= 50, { what: '50 calls at once' });
  const stopped = load.stop();
  const releasing = setInterval(() => {
    for (const release of waiting.splice(0)) release();
  }, 5);
  const result = await stopped;
  clearInterval(releasing);
  assert.deepEqual(result.failures, []);
  assert.ok(result.sent >= 50);
});

test('every kind of failure is recorded with its time', async (t) => {
  let count = 0;
  const upstream = await startUpstream(t, (request, response) => {
    count += 1;
    if (count % 5 === 0) response.writeHead(503).end('busy');
    else if (count % 5 === 1) response.end('v1\nother body');
    else if (count % 5 === 2) response.socket?.destroy();
    else if (count % 5 === 3) response.end(`v1\n${request.body}`);
  });
  const load = await startLoad(t, { ...plan, target: { host: '127.0.0.1', port: upstream.port } });
  await eventually(() => count >= 40, { what: '40 requests' });
  const beforeMs = Date.now();
  const { failures, answers, sent } = await load.stop();
  assert.deepEqual([...new Set(failures.map((failure) => failure.kind))].sort(), ['body', 'error', 'status', 'timeout']);
  assert.equal(failures.length + answers.length, sent);
  for (const failure of failures) assert.ok(failure.failedMs >= failure.sentMs && failure.sentMs <= beforeMs + 100);
});

test('a body that is cut is a failure', async (t) => {
  const { port } = await listenTcp(t, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nv1\nhalf'));
  });
  const load = await startLoad(t, { ...plan, target: { host: '127.0.0.1', port } });
  const { failures, answers, sent } = await load.stop();
  assert.deepEqual([failures.length, answers.length], [sent, 0]);
  assert.equal(failures[0]?.kind, 'error');
});

test('versions are told apart with their times', async (t) => {
  let version = 'v1';
  let answered = 0;
  const { port } = await listen(t, (_request, response) => {
    answered += 1;
    if (answered === 40) version = 'v2';
    response.end(version);
  });
  const load = await startLoad(t, { ...plan, echoes: false, target: { host: '127.0.0.1', port } });
  await eventually(() => answered >= 60, { what: '60 requests' });
  const spans = versionSpans((await load.stop()).answers);
  assert.deepEqual(
    spans.map((span) => span.version),
    ['v1', 'v2'],
  );
  assert.equal(spans[0]?.count, 39);
  assert.ok((spans[0]?.firstAnsweredMs ?? 0) < (spans[1]?.firstAnsweredMs ?? 0));
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { LogMessage, LogQuery } from '../../../provider/types/logs.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { type AppUnderTest, authorization, startApp } from '../app-under-test.ts';

const message = (text: string): LogMessage => ({
  name: 'fn',
  namespace: 'openfaas-fn',
  instance: 'replica-1',
  timestamp: '2026-01-02T03:04:05.678Z',
  text,
});

type Source = (query: LogQuery, signal: AbortSignal) => AsyncIterable<LogMessage>;

const withLogs = async (t: TestContext, logs: Source): Promise<AppUnderTest> => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', { service: 'fn', image: 'echo:1' });
  t.mock.method(app.provider, 'logs', logs);
  return app;
};

const open = async (
  t: TestContext,
  app: AppUnderTest,
  path: string,
): Promise<{ call: ClientRequest; answer: IncomingMessage }> => {
  const call = request(`${app.url}${path}`, { headers: { Authorization: authorization }, agent: false });
  onEnd(t, () => call.destroy());
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  return { call, answer };
};

const none: Source = async function* () {
  yield* [];
};

/** Ends when the signal says so; `ended` resolves when it did. */
const endless = (first: string) => {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const logs: Source = async function* (_query, signal) {
    try {
      if (first !== '') yield message(first);
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      resolve();
    }
  };
  return { logs, ended };
};

test('fact 119: logs are one JSON object a line, as NDJSON', async (t) => {
  const app = await withLogs(t, async function* () {
    yield message('one\n');
    yield message('two');
  });
  const answer = await app.ask('GET', '/system/logs?name=fn&follow=false');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/x-ndjson']);
  const lines = answer.text.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [message('one\n'), message('two')],
  );
});

test('fact 120: followed logs are sent at once and end when the client leaves', async (t) => {
  const { logs, ended } = endless('first');
  const app = await withLogs(t, logs);
  const { call, answer } = await open(t, app, '/system/logs?name=fn&follow=1');
  const [chunk] = (await once(answer, 'data')) as [Buffer];
  assert.deepEqual(JSON.parse(chunk.toString()), message('first'));
  call.destroy();
  await ended;
});

test('the head of followed logs is sent before the first line', async (t) => {
  const { logs } = endless('');
  const app = await withLogs(t, logs);
  const { answer } = await open(t, app, '/system/logs?name=fn&follow=true');
  assert.equal(answer.statusCode, 200);
});

test('followed logs end when the gateway stops', async (t) => {
  const { logs, ended } = endless('first');
  const app = await withLogs(t, logs);
  const { answer } = await open(t, app, '/system/logs?name=fn&follow=1');
  answer.resume();
  app.stop();
  await ended;
  await once(answer, 'end');
});

test('logs that break off are cut, so that they do not look complete', async (t) => {
  const app = await withLogs(t, async function* () {
    yield message('one');
    throw new Error('gone');
  });
  await assert.rejects(app.ask('GET', '/system/logs?name=fn'));
});

test('fact 121: a tail or since that is none is 422 and named', async (t) => {
  const app = await withLogs(t, none);
  const tail = await app.ask('GET', '/system/logs?name=fn&tail=abc');
  assert.deepEqual([tail.status, tail.text], [422, 'tail: expected a whole number, got "abc"\n']);
  const since = await app.ask('GET', '/system/logs?name=fn&since=yesterday');
  assert.equal(since.status, 422);
  assert.match(since.text, /^since: expected an RFC 3339 time/);
});

test('fact 122: logs of an unknown function are 404, of no function 400', async (t) => {
  const app = await withLogs(t, none);
  assert.equal((await app.ask('GET', '/system/logs?name=none')).status, 404);
  assert.equal((await app.ask('GET', '/system/logs')).status, 400);
});

test('facts 123 and 124: the query reaches the provider, of repeated keys the last', async (t) => {
  const queries: LogQuery[] = [];
  const app = await withLogs(t, (query) => {
    queries.push(query);
    return none(query, AbortSignal.abort());
  });
  await app.ask('GET', '/system/logs?name=other&name=fn&tail=1&tail=5&instance=r&since=2026-01-02T03:04:05Z&follow=t');
  await app.ask('GET', '/system/logs?name=fn&tail=-1');
  assert.deepEqual(queries, [
    { name: 'fn', namespace: 'openfaas-fn', instance: 'r', tail: 5, follow: true, sinceMs: Date.parse('2026-01-02T03:04:05Z') },
    { name: 'fn', namespace: 'openfaas-fn', instance: undefined, tail: undefined, follow: false, sinceMs: undefined },
  ]);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { call, type Rig, startRig, startUpstream, unavailable } from '../invoke/rig.ts';

const waiting = async (rig: Rig, key: string, count: number): Promise<void> => {
  while (rig.table.get(key)?.waiting !== count) await new Promise((resolve) => setTimeout(resolve, 2));
};

test('facts 105, 106, 108: callers at zero are held, wake the function once, and are answered in order', async (t) => {
  const rig = await startRig(t);
  const order: string[] = [];
  const address = await startUpstream(t, (req, res) => {
    order.push(req.url as string);
    res.end('awake');
  });
  rig.report('fn.openfaas-fn', { replicas: 0, labels: { 'com.openfaas.scale.min': '3' } });
  const calls: Promise<unknown>[] = [];
  const expected: string[] = [];
  for (let i = 0; i < 120; i += 1) {
    calls.push(call(rig, `/function/fn/${i}`).then(({ status }) => assert.equal(status, 200)));
    expected.push(`/${i}`);
    await waiting(rig, 'fn.openfaas-fn', i + 1);
  }
  rig.report('fn.openfaas-fn', { replicas: 3 });
  rig.ready('fn.openfaas-fn', address);
  await Promise.all(calls);
  assert.deepEqual(rig.scaled, ['fn.openfaas-fn=3']);
  assert.equal(rig.coldStarts.length, 120);
  // Each call has a connection of its own, so the function sees them nearly in the order in which they were let go.
  const misplaced = order.filter((url, index) => Math.abs(expected.indexOf(url) - index) > 10);
  assert.deepEqual(misplaced, []);
  assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 0);
});

test('a function without a minimum is woken to one replica, and without waiting for the order to be durable', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => res.end('awake'));
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const durable = Promise.withResolvers<void>();
  rig.provider.scale = () => {
    rig.ready('fn.openfaas-fn', address);
    return durable.promise;
  };
  assert.equal((await call(rig, '/function/fn')).text, 'awake');
  durable.resolve();
  assert.deepEqual(rig.scaled, ['fn.openfaas-fn=1']);
});

test('a function that starts already is not told to', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => res.end('started'));
  rig.report('fn.openfaas-fn', { replicas: 1 });
  const answer = call(rig, '/function/fn');
  await waiting(rig, 'fn.openfaas-fn', 1);
  rig.ready('fn.openfaas-fn', address);
  assert.equal((await answer).text, 'started');
  assert.deepEqual(rig.scaled, []);
});

test('a failing function is 503 at once, with its reason and the time of its next try', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { failure: { reason: 'CrashLoop', message: 'exit code 1: boom', retryAtMs: Date.now() + 4500 } });
  const answer = await call(rig, '/function/fn');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-error-reason'], 'CrashLoop');
  assert.equal(answer.headers['retry-after'], '5');
  assert.match(answer.text, /CrashLoop: exit code 1: boom/);
  assert.deepEqual(rig.scaled, []);
});

test('callers who wait are told the moment their function reports a failure', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const calls = [call(rig, '/function/fn'), call(rig, '/function/fn')];
  await waiting(rig, 'fn.openfaas-fn', 2);
  const before = performance.now();
  rig.report('fn.openfaas-fn', { replicas: 1, failure: { reason: 'LoadFailed', message: 'no such module' } });
  for (const { status, headers } of await Promise.all(calls))
    assert.deepEqual([status, headers['x-error-reason']], [503, 'LoadFailed']);
  assert.ok(performance.now() - before < 2000, 'long before the limit of waiting');
});

test('a function at zero whose last try failed gets its next try from the next caller', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => res.end('again'));
  rig.report('fn.openfaas-fn', { replicas: 0, failure: { reason: 'LoadFailed', message: 'broken' } });
  rig.provider.scale = async () => {
    rig.report('fn.openfaas-fn', { replicas: 1, failure: undefined });
    rig.ready('fn.openfaas-fn', address);
  };
  assert.equal((await call(rig, '/function/fn')).text, 'again');
});

test('an endpoint that answers is used although the function reports a failure', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { failure: { reason: 'CrashLoop', message: 'the new version' } });
  rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('old version')));
  assert.equal((await call(rig, '/function/fn')).text, 'old version');
});

test('a provider that cannot wake a function gives the reason, and is asked again by the next caller', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { replicas: 0 });
  rig.provider.scale = async () => {
    throw unavailable('no memory left');
  };
  for (let i = 0; i < 2; i += 1) {
    const answer = await call(rig, '/function/fn');
    assert.equal(answer.status, 503);
    assert.match(answer.text, /no memory left/);
  }
  assert.equal(rig.scaled.length, 2);
});

test('more callers than may wait are 503 at once', async (t) => {
  const rig = await startRig(t, { maxWaiting: 2 });
  const address = await startUpstream(t, (_req, res) => res.end());
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const held = [call(rig, '/function/fn'), call(rig, '/function/fn')];
  await waiting(rig, 'fn.openfaas-fn', 2);
  const refused = await call(rig, '/function/fn');
  assert.deepEqual(
    [refused.status, refused.headers['x-error-reason'], refused.headers['retry-after']],
    [503, 'TooManyWaiting', '1'],
  );
  rig.ready('fn.openfaas-fn', address);
  for (const { status } of await Promise.all(held)) assert.equal(status, 200);
});

test('fact 109: who waits longer than the limit is 504, which names it', async (t) => {
  const rig = await startRig(t, { upstreamTimeoutMs: 60 });
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const answer = await call(rig, '/function/fn');
  assert.equal(answer.status, 504);
  assert.match(answer.text, /60ms.*upstream_timeout/);
  assert.equal(rig.table.get('fn.openfaas-fn')?.waiting, 0);
});

test('a caller who leaves the line is not called for', async (t) => {
  const rig = await startRig(t);
  const urls: unknown[] = [];
  const address = await startUpstream(t, (req, res) => {
    urls.push(req.url);
    res.end();
  });
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const leaver = request({ host: '127.0.0.1', port: rig.port, path: '/function/fn/left', agent: false }).on('error', () => {});
  leaver.end();
  await waiting(rig, 'fn.openfaas-fn', 1);
  const stays = call(rig, '/function/fn/stays');
  await waiting(rig, 'fn.openfaas-fn', 2);
  leaver.destroy();
  await waiting(rig, 'fn.openfaas-fn', 1);
  rig.ready('fn.openfaas-fn', address);
  await stays;
  assert.deepEqual(urls, ['/stays']);
  assert.deepEqual(rig.scaled, ['fn.openfaas-fn=1']);
});

test('callers of a function that is removed meanwhile are 404', async (t) => {
  const rig = await startRig(t);
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const answer = call(rig, '/function/fn');
  await waiting(rig, 'fn.openfaas-fn', 1);
  rig.table.functionRemoved({ name: 'fn', namespace: 'openfaas-fn' });
  assert.equal((await answer).status, 404);
});

test('a function put back to zero while callers wait is woken again', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => res.end('awake'));
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const answer = call(rig, '/function/fn');
  await waiting(rig, 'fn.openfaas-fn', 1);
  rig.report('fn.openfaas-fn', { replicas: 1 });
  rig.report('fn.openfaas-fn', { replicas: 0 });
  assert.deepEqual(rig.scaled, ['fn.openfaas-fn=1', 'fn.openfaas-fn=1']);
  rig.ready('fn.openfaas-fn', address);
  assert.equal((await answer).text, 'awake');
});

test('letting a thousand callers go leaves the event loop free', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (_req, res) => res.end());
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const calls = Array.from({ length: 1000 }, () => call(rig, '/function/fn'));
  await waiting(rig, 'fn.openfaas-fn', 1000);
  rig.ready('fn.openfaas-fn', address);
  const entry = rig.table.get('fn.openfaas-fn');
  assert.ok((entry?.waiting ?? 0) > 900, 'one turn of the loop lets a few go');
  for (const { status } of await Promise.all(calls)) assert.equal(status, 200);
});

test('an upload held at zero arrives whole', async (t) => {
  const rig = await startRig(t);
  const address = await startUpstream(t, (req, res) => req.pipe(res));
  rig.report('fn.openfaas-fn', { replicas: 0 });
  const req = request({ host: '127.0.0.1', port: rig.port, path: '/function/fn', method: 'POST', agent: false });
  req.write('one ');
  await waiting(rig, 'fn.openfaas-fn', 1);
  req.end('two');
  rig.ready('fn.openfaas-fn', address);
  const [res] = await once(req, 'response');
  let text = '';
  for await (const chunk of res) text += chunk;
  assert.equal(text, 'one two');
});

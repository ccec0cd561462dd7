import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createFunctionMetrics } from '../../../gateway/metrics/function-series.ts';
import { createControlMetrics } from '../../../gateway/metrics/registry.ts';
import { startMetricsServer } from '../../../gateway/metrics/server.ts';
import { call } from '../../helpers/call.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { parseExposition, sampleOf } from '../../helpers/exposition.ts';
import { drain, longestTurnOfThree } from '../longest-turn.ts';

const start = async (t: TestContext) => {
  const functions = createFunctionMetrics();
  const control = createControlMetrics('1.2.3');
  const server = await startMetricsServer({ functions, control }, '127.0.0.1', 0);
  onEnd(t, async () => {
    control.close();
    await server.close();
  });
  return { functions, control, url: `http://127.0.0.1:${server.port}` };
};

test('facts 1 and 2: the metrics port has /metrics and /healthz and nothing else', async (t) => {
  const { url } = await start(t);
  const metrics = await call(url, { path: '/metrics' });
  assert.equal(metrics.status, 200);
  assert.match(metrics.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  const health = await call(url, { path: '/healthz' });
  assert.deepEqual([health.status, health.text], [200, 'OK']);
  assert.equal((await call(url, { method: 'POST', path: '/healthz' })).status, 405);
  assert.equal((await call(url, { path: '/system/functions' })).status, 404);
  assert.equal((await call(url, { path: '/function/x' })).status, 404);
});

test('the text has metrics of the process, the control API and the build', async (t) => {
  const { url, control } = await start(t);
  control.observe('GET', '/system/functions', 200, 0.01);
  control.observe('GET', '/system/functions', 200, 0.01);
  const { text } = await call(url, { path: '/metrics' });
  assert.match(text, /^http_requests_total\{method="GET",path="\/system\/functions",status="200"\} 2$/m);
  assert.match(
    text,
    /^http_request_duration_seconds_bucket\{le="0\.01",method="GET",path="\/system\/functions",status="200"\} 2$/m,
  );
  assert.match(text, /^process_resident_memory_bytes \d+/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
  assert.match(text, /^sluice_build_info\{version="1\.2\.3"\} 1$/m);
  if (process.platform === 'linux') assert.match(text, /^process_open_fds \d+$/m);
});

test('the delay of the event loop is counted from one scrape to the next, and begins at nothing', async (t) => {
  const { url } = await start(t);
  const delays = async () => parseExposition((await call(url, { path: '/metrics' })).text);
  const counted = async (atLeast: number): Promise<boolean> =>
    sampleOf(await delays(), 'sluice_event_loop_delay_seconds_count') >= atLeast;
  await eventually(() => counted(3), { what: 'three looks at the event loop' });
  const before = sampleOf(await delays(), 'sluice_event_loop_delay_seconds_sum');
  const until = performance.now() + 200;
  while (performance.now() < until);
  await eventually(async () => sampleOf(await delays(), 'sluice_event_loop_delay_seconds_sum') - before > 0.1, {
    what: 'what held up the event loop is counted',
  });
  // Of one scrape: between two of them another look may be counted, which would hide the long one.
  const after = await delays();
  const all = sampleOf(after, 'sluice_event_loop_delay_seconds_count');
  const short = sampleOf(after, 'sluice_event_loop_delay_seconds_bucket', { le: '0.1' });
  assert.ok(all - short >= 1, `${all - short} of ${all} looks were more than 0.1 s late`);
});

test('every sample belongs to the type line before it, and no series comes twice', async (t) => {
  const { url, functions } = await start(t);
  for (const name of ['a', 'b']) {
    const ref = { name, namespace: 'openfaas-fn' };
    functions.observer.functionChanged({ ref, revision: 'r', labels: {}, annotations: {}, replicas: 1 });
    functions.of(`${name}.openfaas-fn`)?.started();
    functions.of(`${name}.openfaas-fn`)?.finished(200, 0.1);
  }
  const { text } = await call(url, { path: '/metrics' });
  const types = new Set<string>();
  const series = new Set<string>();
  let family = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (line.startsWith('# TYPE ')) {
      family = line.split(' ')[2] ?? '';
      assert.ok(!types.has(family), family);
      types.add(family);
    } else if (!line.startsWith('#')) {
      const name = line.slice(0, line.lastIndexOf(' '));
      assert.ok(name.startsWith(family), `${name} under ${family}`);
      assert.ok(!series.has(name), name);
      series.add(name);
    }
  }
});

test('a scrape of 10,000 functions lets other work through', async (t) => {
  const { url, functions } = await start(t);
  for (let index = 0; index < 10_000; index += 1) {
    const ref = { name: `function-${index}`, namespace: 'openfaas-fn' };
    functions.observer.functionChanged({ ref, revision: 'r', labels: {}, annotations: {}, replicas: 1 });
    for (const status of [200, 500]) {
      functions.of(`function-${index}.openfaas-fn`)?.started();
      functions.of(`function-${index}.openfaas-fn`)?.finished(status, 0.1);
    }
  }
  assert.match((await call(url, { path: '/metrics' })).text, /function-9999/);
  const { result, longestMs } = await longestTurnOfThree(() => drain(`${url}/metrics`));
  t.diagnostic(`${(result / 1e6).toFixed(1)} MB; longest turn ${longestMs} ms`);
  assert.ok(longestMs < 10, `${longestMs} ms`);
});

test('a scraper that leaves in the middle does no harm', async (t) => {
  const { url, functions } = await start(t);
  for (let index = 0; index < 2_000; index += 1) {
    const ref = { name: `function-${index}`, namespace: 'openfaas-fn' };
    functions.observer.functionChanged({ ref, revision: 'r', labels: {}, annotations: {}, replicas: 1 });
  }
  const leaving = new AbortController();
  const scrape = call(url, { path: '/metrics', signal: leaving.signal });
  setImmediate(() => leaving.abort());
  await assert.rejects(scrape);
  assert.equal((await call(url, { path: '/metrics' })).status, 200);
});

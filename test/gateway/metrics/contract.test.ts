// Every metric of section 3 of the OpenFaaS contract, those of the Pro edition included: name, type, labels and buckets as the
// sheet has them, and values after a load that is known call by call.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { startGateway } from '../../../gateway/main.ts';
import { call } from '../../helpers/call.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { boundsOf, type Family, labelNames, parseExposition, sampleOf } from '../../helpers/exposition.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import type { MemoryFunction } from '../../memory/functions.ts';
import { createMemoryProvider } from '../../memory/provider.ts';

const buckets = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];

type Row = {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly string[];
};

/** 3.1: the gateway of the Community Edition. */
const community: readonly Row[] = [
  { name: 'gateway_function_invocation_total', type: 'counter', labels: ['code', 'function_name'] },
  { name: 'gateway_functions_seconds', type: 'histogram', labels: ['code', 'function_name'], buckets },
  { name: 'gateway_function_invocation_started', type: 'counter', labels: ['function_name'] },
  { name: 'gateway_service_count', type: 'gauge', labels: ['function_name'] },
  { name: 'process_cpu_seconds_total', type: 'counter', labels: [] },
  { name: 'process_resident_memory_bytes', type: 'gauge', labels: [] },
  { name: 'process_virtual_memory_bytes', type: 'gauge', labels: [] },
  { name: 'process_start_time_seconds', type: 'gauge', labels: [] },
  { name: 'process_open_fds', type: 'gauge', labels: [] },
  { name: 'process_max_fds', type: 'gauge', labels: [] },
];

/** 3.2: what Pro adds, under the names that its rules use. */
const pro: readonly Row[] = [
  { name: 'gateway_service_target_load', type: 'gauge', labels: ['function_name', 'scaling_type'] },
  { name: 'gateway_service_min', type: 'gauge', labels: ['function_name'] },
  { name: 'gateway_function_invocation_inflight', type: 'gauge', labels: ['function_name'] },
  { name: 'gateway_service_ready_count', type: 'gauge', labels: ['function_name'] },
  { name: 'http_requests_total', type: 'counter', labels: ['method', 'path', 'status'] },
  { name: 'http_request_duration_seconds', type: 'histogram', labels: ['method', 'path', 'status'], buckets },
];

/** Of parts that do not exist here: docs/compatibility.md says so. */
const elsewhere = [
  'gateway_nats_reconnect_total',
  'provider_http_requests_total',
  'provider_http_request_duration_seconds',
  'faasnetes_scale_total',
  'queue_worker_pending_messages',
];

const answers: MemoryFunction = () => (request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://fn');
  response.statusCode = Number(searchParams.get('status') ?? 200);
  if (!searchParams.has('hang')) response.end('answer');
};

const start = async (t: TestContext) => {
  const gateway = await startGateway({
    argv: ['--port=0', '--metrics-port=0', '--data-dir', await makeTmpDir(t)],
    env: {},
    log: pino({ level: 'silent' }),
    openProvider: async () => createMemoryProvider({ functions: { answers } }),
  });
  onEnd(t, () => gateway.close());
  const { user, password } = gateway.credentials ?? { user: '', password: '' };
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const control = (method: string, path: string, body?: object) =>
    call(gateway.url, { method, path, headers: { Authorization: authorization }, ...(body && { body: JSON.stringify(body) }) });
  const scrape = async (): Promise<Map<string, Family>> =>
    parseExposition((await call(gateway.metricsUrl, { path: '/metrics' })).text);
  return { gateway, control, scrape };
};

test('every metric of section 3 is there by name, type, labels and buckets, and tells a known load', async (t) => {
  const { gateway, control, scrape } = await start(t);
  const labels = {
    'com.openfaas.scale.min': '2',
    'com.openfaas.scale.max': '6',
    'com.openfaas.scale.target': '15',
    'com.openfaas.scale.type': 'capacity',
  };
  await control('POST', '/system/functions', { service: 'fn', image: 'answers:1', labels });
  await control('POST', '/system/functions', { service: 'other', image: 'answers:1' });
  const fn = { function_name: 'fn.openfaas-fn' };
  const ready = async () => sampleOf(await scrape(), 'gateway_service_ready_count', fn) === 2;
  await eventually(ready, { what: 'two replicas of fn answer' });

  const ask = (path: string) => call(gateway.url, { path: `/function/${path}` });
  for (let each = 0; each < 10; each += 1) assert.equal((await ask(each % 2 === 0 ? 'fn' : 'fn.openfaas-fn/x')).status, 200);
  for (let each = 0; each < 3; each += 1) assert.equal((await ask('fn?status=500')).status, 500);
  assert.equal((await ask('fn?status=418')).status, 418);
  assert.equal((await ask('nowhere')).status, 404);
  const leaving = new AbortController();
  const hanging = call(gateway.url, { path: '/function/fn?hang', signal: leaving.signal }).catch(() => undefined);
  const inFlight = async () => sampleOf(await scrape(), 'gateway_function_invocation_inflight', fn) === 1;
  await eventually(inFlight, { what: 'one call of fn runs' });

  const metrics = await scrape();
  for (const { name, type, labels: names, buckets: bounds } of [...community, ...pro]) {
    const family = metrics.get(name);
    if (name.startsWith('process_') && process.platform !== 'linux' && family === undefined) continue;
    assert.ok(family !== undefined && family.samples.length > 0, name);
    assert.notEqual(family.help, '', name);
    assert.deepEqual([name, family.type, labelNames(family)], [name, type, names]);
    if (bounds !== undefined) assert.deepEqual(boundsOf(family), bounds, name);
  }
  for (const name of elsewhere) assert.equal(metrics.has(name), false, name);

  const value = (name: string, more: Record<string, string> = {}): number => sampleOf(metrics, name, { ...fn, ...more });
  assert.equal(value('gateway_function_invocation_total', { code: '200' }), 10);
  assert.equal(value('gateway_function_invocation_total', { code: '500' }), 3);
  assert.equal(value('gateway_function_invocation_total', { code: '418' }), 1);
  assert.equal(value('gateway_functions_seconds_count', { code: '200' }), 10);
  assert.equal(value('gateway_functions_seconds_bucket', { code: '200', le: '+Inf' }), 10);
  assert.ok(value('gateway_functions_seconds_sum', { code: '200' }) > 0);
  assert.equal(value('gateway_function_invocation_started'), 15);
  assert.equal(value('gateway_service_count'), 2);
  assert.equal(value('gateway_service_min'), 2);
  assert.equal(value('gateway_service_max'), 6);
  assert.equal(value('gateway_service_target_load', { scaling_type: 'capacity' }), 15);
  const other = { function_name: 'other.openfaas-fn' };
  assert.equal(sampleOf(metrics, 'gateway_service_min', other), 1);
  assert.equal(sampleOf(metrics, 'gateway_function_invocation_started', other), 0);
  assert.throws(() => sampleOf(metrics, 'gateway_service_target_load', other), /^Error: 0 samples/);
  const deploys = { method: 'POST', path: '/system/functions', status: '202' };
  assert.equal(sampleOf(metrics, 'http_requests_total', deploys), 2);
  assert.equal(sampleOf(metrics, 'http_request_duration_seconds_count', deploys), 2);
  assert.equal(sampleOf(metrics, 'sluice_provider_stale_seconds'), 0);
  const known = new Set(['fn.openfaas-fn', 'other.openfaas-fn']);
  for (const { samples } of metrics.values()) {
    for (const { labels: each } of samples) if (each.function_name !== undefined) assert.ok(known.has(each.function_name));
  }

  leaving.abort();
  await hanging;
  const over = async () => sampleOf(await scrape(), 'gateway_function_invocation_inflight', fn) === 0;
  await eventually(over, { what: 'no call of fn runs' });
  assert.equal(sampleOf(await scrape(), 'gateway_function_invocation_total', { ...fn, code: '499' }), 1);
});

test('a removed function takes every series of it along, and one that comes again begins anew', async (t) => {
  const { gateway, control, scrape } = await start(t);
  const labels = { 'com.openfaas.scale.target': '15' };
  const series = async (): Promise<number> => {
    const all = [...(await scrape()).values()].flatMap(({ samples }) => samples);
    return all.filter((sample) => sample.labels.function_name === 'fn.openfaas-fn').length;
  };
  await control('POST', '/system/functions', { service: 'fn', image: 'answers:1', labels });
  await control('POST', '/system/scale-function/fn', { replicas: 0 });
  assert.equal((await call(gateway.url, { path: '/function/fn' })).status, 200);
  const full = await series();
  await control('DELETE', '/system/functions', { functionName: 'fn' });
  assert.equal(await series(), 0);
  await control('POST', '/system/functions', { service: 'fn', image: 'answers:1', labels });
  const fresh = await series();
  assert.ok(fresh > 0 && fresh < full, `${fresh} of ${full}`);
});

test('invocationCount of the list is the sum over all codes, without a Prometheus', async (t) => {
  const { gateway, control } = await start(t);
  await control('POST', '/system/functions', { service: 'fn', image: 'answers:1' });
  for (const status of [200, 200, 404, 500]) await call(gateway.url, { path: `/function/fn?status=${status}` });
  assert.equal(JSON.parse((await control('GET', '/system/functions')).text)[0].invocationCount, 4);
});

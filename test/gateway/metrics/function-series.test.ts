import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeLabel } from '../../../gateway/metrics/escape-label.ts';
import { createFunctionMetrics, type FunctionMetrics } from '../../../gateway/metrics/function-series.ts';
import { functionText } from '../../../gateway/metrics/function-text.ts';
import { maxCodes } from '../../../gateway/metrics/series.ts';

const ref = { name: 'fn', namespace: 'openfaas-fn' };
const key = 'fn.openfaas-fn';

const report = (labels: Record<string, string> = {}, replicas = 1, name = 'fn') => ({
  ref: { ...ref, name },
  revision: 'r1',
  labels,
  annotations: {},
  replicas,
});

const endpoint = (id: string) => ({ id, revision: 'r1', address: { host: '127.0.0.1', port: 1 } });

const textOf = (metrics: FunctionMetrics): string => [...functionText(metrics)].join('');
const linesOf = (metrics: FunctionMetrics, name: string): string[] =>
  textOf(metrics)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`));

test('facts 130 and 132: a call is counted when it starts, and by its status when it ends', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  metrics.of(key)?.started();
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_started'), [
    `gateway_function_invocation_started{function_name="${key}"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_inflight'), [
    `gateway_function_invocation_inflight{function_name="${key}"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_total'), []);
  metrics.of(key)?.finished(200, 0.02);
  metrics.of(key)?.started();
  metrics.of(key)?.finished(500, 0.02);
  metrics.of(key)?.started();
  metrics.of(key)?.finished(200, 0.02);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_total'), [
    `gateway_function_invocation_total{function_name="${key}",code="200"} 2`,
    `gateway_function_invocation_total{function_name="${key}",code="500"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_inflight'), [
    `gateway_function_invocation_inflight{function_name="${key}"} 0`,
  ]);
  assert.equal(metrics.countOf(key), 3);
});

test('fact 131: seconds are a histogram by function and code with the default buckets', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  for (const seconds of [0.005, 0.006, 0.7, 20]) {
    metrics.of(key)?.started();
    metrics.of(key)?.finished(200, seconds);
  }
  const labels = `function_name="${key}",code="200"`;
  const expected = [1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4];
  const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
  assert.deepEqual(
    linesOf(metrics, 'gateway_functions_seconds_bucket'),
    bounds.map((bound, index) => `gateway_functions_seconds_bucket{${labels},le="${bound}"} ${expected[index]}`),
  );
  assert.deepEqual(linesOf(metrics, 'gateway_functions_seconds_sum'), [`gateway_functions_seconds_sum{${labels}} 20.711`]);
  assert.deepEqual(linesOf(metrics, 'gateway_functions_seconds_count'), [`gateway_functions_seconds_count{${labels}} 4`]);
});

test('fact 133: desired and ready replicas follow the provider, and all series go with the function', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report({ 'com.openfaas.scale.min': '2' }, 3));
  metrics.observer.endpointReady(ref, endpoint('a'));
  metrics.observer.endpointReady(ref, endpoint('b'));
  void metrics.observer.endpointGone(ref, 'a');
  metrics.of(key)?.started();
  metrics.of(key)?.finished(200, 0.1);
  assert.deepEqual(linesOf(metrics, 'gateway_service_count'), [`gateway_service_count{function_name="${key}"} 3`]);
  assert.deepEqual(linesOf(metrics, 'gateway_service_ready_count'), [`gateway_service_ready_count{function_name="${key}"} 1`]);
  assert.deepEqual(linesOf(metrics, 'gateway_service_min'), [`gateway_service_min{function_name="${key}"} 2`]);
  metrics.observer.functionRemoved(ref);
  assert.doesNotMatch(textOf(metrics), /fn\.openfaas-fn/);
  assert.equal(metrics.countOf(key), 0);
});

test('a function that is deployed again begins at zero, and the end of a call from before is none of its calls', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  const before = metrics.of(key);
  before?.started();
  before?.started();
  before?.finished(200, 0.1);
  metrics.observer.functionRemoved(ref);
  metrics.observer.functionChanged(report());
  const after = metrics.of(key);
  after?.started();
  after?.finished(200, 0.1);
  before?.finished(503, 0.1);
  before?.started();
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_started'), [
    `gateway_function_invocation_started{function_name="${key}"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_total'), [
    `gateway_function_invocation_total{function_name="${key}",code="200"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_inflight'), [
    `gateway_function_invocation_inflight{function_name="${key}"} 0`,
  ]);
});

test('fact 135: a name that is no function makes no series', () => {
  const metrics = createFunctionMetrics();
  assert.equal(metrics.of('none.openfaas-fn'), undefined);
  metrics.scaled('none.openfaas-fn', 'call');
  assert.equal(metrics.countOf('none.openfaas-fn'), 0);
  assert.doesNotMatch(textOf(metrics), /none/);
});

test('of a function that was never called there is what a rate needs a zero of, and what it is', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  const linesOfFunction = (): string[] =>
    textOf(metrics)
      .split('\n')
      .filter((line) => line.includes(key));
  const label = `{function_name="${key}"}`;
  const quiet = [
    `gateway_function_invocation_started${label} 0`,
    `gateway_service_count${label} 1`,
    `gateway_service_ready_count${label} 0`,
    `gateway_service_min${label} 1`,
    `gateway_service_max${label} 20`,
    `gateway_function_cold_starts_total${label} 0`,
  ];
  assert.deepEqual(linesOfFunction(), quiet);
  metrics.of(key)?.started();
  const gauges = ['gateway_function_invocation_inflight', 'gateway_function_queue_length', 'gateway_function_waiting'];
  assert.deepEqual(
    gauges.map((name) => linesOf(metrics, name)),
    [[`${gauges[0]}${label} 1`], [`${gauges[1]}${label} 0`], [`${gauges[2]}${label} 0`]],
  );
  assert.equal(linesOfFunction().length, quiet.length + gauges.length);
});

test('the load target is shown with its type, and only where there is one', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report({ 'com.openfaas.scale.target': '50', 'com.openfaas.scale.type': 'capacity' }));
  metrics.observer.functionChanged(report({}, 1, 'other'));
  assert.deepEqual(linesOf(metrics, 'gateway_service_target_load'), [
    `gateway_service_target_load{function_name="${key}",scaling_type="capacity"} 50`,
  ]);
  metrics.observer.functionChanged(report({ 'com.openfaas.scale.target': 'x"\n} 1' }));
  assert.deepEqual(linesOf(metrics, 'gateway_service_target_load'), []);
});

test('a function that answers every status there is has a bounded number of series, and no call is lost', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  for (let status = 200; status < 600; status += 1) {
    metrics.of(key)?.started();
    metrics.of(key)?.finished(status, 0.1);
  }
  const totals = linesOf(metrics, 'gateway_function_invocation_total');
  assert.equal(totals.length, maxCodes + 1);
  assert.ok(totals.includes(`gateway_function_invocation_total{function_name="${key}",code="other"} ${400 - maxCodes}`));
  assert.equal(metrics.countOf(key), 400);
});

test('label values are escaped', () => {
  assert.equal(escapeLabel('a"b\\c\nd'), 'a\\"b\\\\c\\nd');
});

test('refused and cut calls are counted by reason, and calls in line as they come and go', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  assert.deepEqual(linesOf(metrics, 'gateway_function_refused_total'), []);
  for (const reason of ['MaxInflight', 'MaxInflight', 'CrashLoop']) metrics.of(key)?.refused(reason);
  assert.deepEqual(linesOf(metrics, 'gateway_function_refused_total'), [
    `gateway_function_refused_total{function_name="${key}",reason="MaxInflight"} 2`,
    `gateway_function_refused_total{function_name="${key}",reason="CrashLoop"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_cut_total'), []);
  for (const ending of [true, true, false]) metrics.of(key)?.cut(ending);
  assert.deepEqual(linesOf(metrics, 'gateway_function_cut_total'), [
    `gateway_function_cut_total{function_name="${key}",replica="ending"} 2`,
    `gateway_function_cut_total{function_name="${key}",replica="running"} 1`,
  ]);
  for (const change of [1, 1, -1]) metrics.of(key)?.queued(change);
  assert.deepEqual(linesOf(metrics, 'gateway_function_queue_length'), [
    `gateway_function_queue_length{function_name="${key}"} 1`,
  ]);
});

test('cold starts are told apart by phase: sums for the function, a histogram over all of them', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  assert.deepEqual(linesOf(metrics, 'gateway_function_cold_start_seconds_sum'), []);
  metrics.of(key)?.coldStart([0, 0.25, 0.5, 1, 0.004]);
  metrics.of(key)?.coldStart([0.5, 0, 0, 90, 0.004]);
  const label = (phase: string): string => `{function_name="${key}",phase="${phase}"}`;
  assert.deepEqual(
    linesOf(metrics, 'gateway_function_cold_start_seconds_sum'),
    Object.entries({ wait: 0.5, schedule: 0.25, boot: 0.5, load: 91, first_answer: 0.008 }).map(
      ([phase, sum]) => `gateway_function_cold_start_seconds_sum${label(phase)} ${sum}`,
    ),
  );
  assert.ok(
    linesOf(metrics, 'gateway_function_cold_start_seconds_count').every((line) => line.endsWith(' 2')),
    'each phase was counted for each call',
  );
  assert.deepEqual(linesOf(metrics, 'gateway_function_cold_starts_total'), [
    `gateway_function_cold_starts_total{function_name="${key}"} 2`,
  ]);
  const load = linesOf(metrics, 'gateway_cold_start_seconds_bucket').filter((line) => line.includes('phase="load"'));
  assert.deepEqual(
    load.slice(-3).map((line) => line.split('{')[1]),
    ['phase="load",le="30"} 1', 'phase="load",le="60"} 1', 'phase="load",le="+Inf"} 2'],
  );
});

test('time in line is told apart by line, and callers who wait are a gauge that comes back to zero', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  metrics.of(key)?.waiting(1);
  metrics.of(key)?.waiting(1);
  assert.deepEqual(linesOf(metrics, 'gateway_function_waiting'), [`gateway_function_waiting{function_name="${key}"} 2`]);
  metrics.of(key)?.waiting(-1);
  metrics.of(key)?.waiting(-1);
  metrics.of(key)?.waited('replica', 0.5);
  metrics.of(key)?.waited('replica', 1.5);
  assert.deepEqual(linesOf(metrics, 'gateway_function_waiting'), [`gateway_function_waiting{function_name="${key}"} 0`]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_queue_seconds_sum'), [
    `gateway_function_queue_seconds_sum{function_name="${key}",line="replica"} 2`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_queue_seconds_count'), [
    `gateway_function_queue_seconds_count{function_name="${key}",line="replica"} 2`,
  ]);
  assert.match(textOf(metrics), /^gateway_queue_seconds_count\{line="replica"\} 2$/m);
  assert.match(textOf(metrics), /^gateway_queue_seconds_count\{line="limits"\} 0$/m);
});

test('the maximum, orders to scale by cause and the reason of a failure are shown while they hold', () => {
  const metrics = createFunctionMetrics();
  const failing = { ...report({ 'com.openfaas.scale.max': '7' }), failure: { reason: 'CrashLoop', message: 'boom' } };
  metrics.observer.functionChanged(failing);
  for (const cause of ['call', 'idle', 'call', 'alert', 'api'] as const) metrics.scaled(key, cause);
  assert.deepEqual(linesOf(metrics, 'gateway_service_max'), [`gateway_service_max{function_name="${key}"} 7`]);
  assert.deepEqual(
    linesOf(metrics, 'gateway_function_scalings_total'),
    ['call"} 2', 'idle"} 1', 'alert"} 1', 'api"} 1'].map(
      (end) => `gateway_function_scalings_total{function_name="${key}",cause="${end}`,
    ),
  );
  assert.deepEqual(linesOf(metrics, 'gateway_function_failing'), [
    `gateway_function_failing{function_name="${key}",reason="CrashLoop"} 1`,
  ]);
  metrics.observer.functionChanged(report());
  assert.deepEqual(linesOf(metrics, 'gateway_function_failing'), []);
});

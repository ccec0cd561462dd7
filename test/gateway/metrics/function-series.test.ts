import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFunctionMetrics, type FunctionMetrics, maxCodes } from '../../../gateway/metrics/function-series.ts';
import { escapeLabel, functionText } from '../../../gateway/metrics/function-text.ts';

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
  metrics.started(key);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_started'), [
    `gateway_function_invocation_started{function_name="${key}"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_inflight'), [
    `gateway_function_invocation_inflight{function_name="${key}"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_total'), []);
  metrics.finished(key, 200, 0.02);
  metrics.started(key);
  metrics.finished(key, 500, 0.02);
  metrics.started(key);
  metrics.finished(key, 200, 0.02);
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
    metrics.started(key);
    metrics.finished(key, 200, seconds);
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
  metrics.started(key);
  metrics.finished(key, 200, 0.1);
  assert.deepEqual(linesOf(metrics, 'gateway_service_count'), [`gateway_service_count{function_name="${key}"} 3`]);
  assert.deepEqual(linesOf(metrics, 'gateway_service_ready_count'), [`gateway_service_ready_count{function_name="${key}"} 1`]);
  assert.deepEqual(linesOf(metrics, 'gateway_service_min'), [`gateway_service_min{function_name="${key}"} 2`]);
  metrics.observer.functionRemoved(ref);
  assert.doesNotMatch(textOf(metrics), /fn\.openfaas-fn/);
  assert.equal(metrics.countOf(key), 0);
});

test('a function that is deployed again begins at zero', () => {
  const metrics = createFunctionMetrics();
  metrics.observer.functionChanged(report());
  metrics.started(key);
  metrics.finished(key, 200, 0.1);
  metrics.observer.functionRemoved(ref);
  metrics.observer.functionChanged(report());
  metrics.finished(key, 503, 0.1);
  assert.deepEqual(linesOf(metrics, 'gateway_function_invocation_total'), [
    `gateway_function_invocation_total{function_name="${key}",code="503"} 1`,
  ]);
  assert.match(textOf(metrics), /gateway_function_invocation_inflight\{function_name="fn\.openfaas-fn"\} 0\n/);
});

test('fact 135: a name that is no function makes no series', () => {
  const metrics = createFunctionMetrics();
  metrics.started('none.openfaas-fn');
  metrics.finished('none.openfaas-fn', 404, 0.1);
  metrics.coldStart('none.openfaas-fn');
  assert.doesNotMatch(textOf(metrics), /none/);
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
    metrics.started(key);
    metrics.finished(key, status, 0.1);
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
  for (const reason of ['MaxInflight', 'MaxInflight', 'CrashLoop']) metrics.refused(key, reason);
  assert.deepEqual(linesOf(metrics, 'gateway_function_refused_total'), [
    `gateway_function_refused_total{function_name="${key}",reason="MaxInflight"} 2`,
    `gateway_function_refused_total{function_name="${key}",reason="CrashLoop"} 1`,
  ]);
  assert.deepEqual(linesOf(metrics, 'gateway_function_cut_total'), []);
  for (const ending of [true, true, false]) metrics.cut(key, ending);
  assert.deepEqual(linesOf(metrics, 'gateway_function_cut_total'), [
    `gateway_function_cut_total{function_name="${key}",replica="ending"} 2`,
    `gateway_function_cut_total{function_name="${key}",replica="running"} 1`,
  ]);
  for (const change of [1, 1, -1]) metrics.queued(key, change);
  assert.deepEqual(linesOf(metrics, 'gateway_function_queue_length'), [
    `gateway_function_queue_length{function_name="${key}"} 1`,
  ]);
  metrics.refused('unknown.ns', 'MaxInflight');
  metrics.queued('unknown.ns', 1);
  assert.doesNotMatch(textOf(metrics), /unknown/);
});

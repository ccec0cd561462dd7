// Text that is kept from one scrape to the next is right all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFunctionMetrics, type FunctionMetrics } from '../../../gateway/metrics/function-series.ts';
import { functionText } from '../../../gateway/metrics/function-text.ts';
import { pageSize } from '../../../gateway/metrics/page.ts';

const total = 3 * pageSize + 1;
const refOf = (index: number) => ({ name: `fn-${index}`, namespace: 'openfaas-fn' });
const keyOf = (index: number): string => `fn-${index}.openfaas-fn`;

const change = (metrics: FunctionMetrics, index: number, replicas: number): void =>
  metrics.observer.functionChanged({ ref: refOf(index), revision: 'r1', labels: {}, annotations: {}, replicas });

const start = (): FunctionMetrics => {
  const metrics = createFunctionMetrics();
  for (let index = 0; index < total; index += 1) change(metrics, index, 0);
  return metrics;
};

/** Values of a metric that has no label but the function's, by key; each function may come once. */
const valuesOf = (metrics: FunctionMetrics, name: string): Map<string, string> => {
  const values = new Map<string, string>();
  for (const [, key = '', value = ''] of [...functionText(metrics)]
    .join('')
    .matchAll(new RegExp(`^${name}\\{function_name="([^"]*)"\\} (.*)$`, 'gm'))) {
    assert.equal(values.has(key), false, `${name} of ${key} comes twice`);
    values.set(key, value);
  }
  return values;
};

test('whatever changes about a function is in the next scrape, and nothing of its neighbours changes', () => {
  const metrics = start();
  const expected = (name: string, value: string, index: number): void => {
    const values = valuesOf(metrics, name);
    assert.equal(values.size, total, name);
    assert.equal(values.get(keyOf(index)), value, `${name} of ${keyOf(index)}`);
    assert.equal(values.get(keyOf(index + 1)), '0', `${name} of ${keyOf(index + 1)}`);
  };
  for (const index of [0, pageSize - 1, total - 2]) {
    expected('gateway_function_invocation_started', '0', index);
    metrics.of(keyOf(index))?.started();
    expected('gateway_function_invocation_started', '1', index);
    metrics.of(keyOf(index))?.coldStart([0, 0, 0, 0, 1]);
    expected('gateway_function_cold_starts_total', '1', index);
    change(metrics, index, 7);
    expected('gateway_service_count', '7', index);
    metrics.observer.endpointReady(refOf(index), { id: 'a', revision: 'r1', address: { host: '127.0.0.1', port: 1 } });
    expected('gateway_service_ready_count', '1', index);
    void metrics.observer.endpointGone(refOf(index), 'a');
    expected('gateway_service_ready_count', '0', index);
    const orders = `gateway_function_scalings_total{function_name="${keyOf(index)}",cause="idle"} 1\n`;
    assert.equal([...functionText(metrics)].join('').includes(orders), false);
    metrics.scaled(keyOf(index), 'idle');
    assert.equal([...functionText(metrics)].join('').includes(orders), true);
  }
});

test('a second scrape of what has not changed is made of the same bytes', () => {
  const metrics = start();
  const bytes = (): Buffer[] => [...functionText(metrics)].filter((piece) => typeof piece !== 'string');
  const before = new Set(bytes());
  assert.ok(before.size > 0);
  const other = bytes().filter((piece) => !before.has(piece));
  assert.equal(other.length, 0);
  metrics.of(keyOf(0))?.started();
  const changed = bytes().filter((piece) => !before.has(piece));
  assert.equal(changed.length, 2, 'calls begun and cold starts of one page');
});

test('functions come and go where there is room, and all of those that are there are told', () => {
  const metrics = start();
  const names = ['gateway_service_count', 'gateway_function_invocation_started'];
  for (const name of names) assert.equal(valuesOf(metrics, name).size, total);
  for (let index = 0; index < total; index += 2) metrics.observer.functionRemoved(refOf(index));
  const left = Math.floor(total / 2);
  for (const name of names) {
    assert.equal(valuesOf(metrics, name).size, left);
    assert.equal(valuesOf(metrics, name).has(keyOf(0)), false);
    assert.equal(valuesOf(metrics, name).has(keyOf(1)), true);
  }
  for (let index = total; index < 2 * total; index += 1) change(metrics, index, 0);
  for (const name of names) assert.equal(valuesOf(metrics, name).size, left + total);
  assert.equal(metrics.pages().length, Math.ceil((left + total) / pageSize), 'no page is left half empty for ever');
  for (let index = 0; index < 2 * total; index += 1) metrics.observer.functionRemoved(refOf(index));
  assert.equal(metrics.pages().length, 0);
  for (const name of names) assert.equal(valuesOf(metrics, name).size, 0);
});

test('a scrape that is under way tells nothing of a function that is removed meanwhile, and all of those that stay', () => {
  const metrics = start();
  for (const index of [0, 1]) {
    metrics.of(keyOf(index))?.started();
    metrics.of(keyOf(index))?.finished(200, 0.1);
  }
  const scrape = functionText(metrics);
  assert.match(String(scrape.next().value), /^# HELP/);
  metrics.observer.functionRemoved(refOf(0));
  const rest = [...scrape].join('');
  assert.equal(rest.includes(`"${keyOf(0)}"`), false);
  for (const name of ['invocation_total', 'invocation_started', 'invocation_inflight', 'cold_starts_total'])
    assert.match(rest, new RegExp(`^gateway_function_${name}\\{function_name="${keyOf(1).replace('.', '\\.')}"`, 'm'));
});

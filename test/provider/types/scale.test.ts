import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScaleRequest, type ScaleSpec, toScaleSpec } from '../../../provider/types/scale.ts';
import { parse } from '../../../provider/types/validate.ts';

const defaults: ScaleSpec = {
  min: 1,
  max: 20,
  factorPercent: 10,
  zero: false,
  zeroDurationMs: undefined,
  automatic: false,
  hasMin: false,
};

const rows: readonly (readonly [labels: Record<string, string>, change: Partial<ScaleSpec>])[] = [
  [{}, {}],
  [{ min: '2' }, { min: 2, hasMin: true }],
  [{ min: '0' }, {}],
  [{ min: '-4' }, {}],
  [{ min: 'two' }, {}],
  [{ min: '30' }, { min: 30, max: 30, hasMin: true }],
  [{ max: '5' }, { max: 5 }],
  [{ max: '0' }, { max: 1 }],
  [{ factor: '0' }, { factorPercent: 0 }],
  [{ factor: '100' }, { factorPercent: 100 }],
  [{ factor: '101' }, {}],
  [{ zero: 'true' }, { zero: true, automatic: true }],
  [{ zero: 'TRUE' }, {}],
  [{ type: 'rps' }, { automatic: true }],
  [{ target: '50' }, { automatic: true }],
  [{ 'zero-duration': '5m' }, { zeroDurationMs: 300_000 }],
  [{ 'zero-duration': '90' }, { zeroDurationMs: 90_000 }],
  [{ 'zero-duration': 'soon' }, {}],
  [{ 'zero-duration': '-5m' }, {}],
];

for (const [short, change] of rows) {
  test(`scaling with ${JSON.stringify(short)} differs from the defaults in ${JSON.stringify(change)}`, () => {
    const labels = Object.fromEntries(Object.entries(short).map(([key, value]) => [`com.openfaas.scale.${key}`, value]));
    assert.deepEqual(toScaleSpec(labels), { ...defaults, ...change });
  });
}

test('a function without labels has the defaults', () => {
  assert.deepEqual(toScaleSpec(undefined), defaults);
});

for (const [replicas, message] of [
  [undefined, 'replicas: expected a whole number of replicas, got nothing'],
  ['2', 'replicas: expected a whole number of replicas, got "2"'],
  [1.5, 'replicas: expected a whole number of replicas, got 1.5'],
  [-1, 'replicas: expected 0 or more replicas, got -1'],
  [100_001, 'replicas: expected at most 100000 replicas, got 100001'],
  [1e300, 'replicas: expected a whole number of replicas, got 1e+300'],
] as const) {
  test(`a scale request for ${replicas} replicas is refused`, () => {
    assert.throws(() => parse(ScaleRequest, { serviceName: 'fn', replicas }), { code: 'invalid', message });
  });
}

test('fact 92: a scale request for 0 replicas passes as it is', () => {
  assert.deepEqual(parse(ScaleRequest, { serviceName: 'fn', replicas: 0, namespace: null }), {
    serviceName: 'fn',
    replicas: 0,
    namespace: undefined,
  });
});

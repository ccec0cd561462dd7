import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity } from '../../../provider/types/quantity.ts';

const parsed: readonly (readonly [text: string, value: number | undefined])[] = [
  ['0', 0],
  ['128Mi', 134_217_728],
  ['5Mi', 5_242_880],
  ['1Gi', 1_073_741_824],
  ['1.5Gi', 1_610_612_736],
  ['1M', 1_000_000],
  ['1k', 1000],
  ['100m', 0.1],
  ['1500m', 1.5],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['2.', 2],
  ['1e3', 1000],
  ['1E3', 1000],
  ['1E', 1e18],
  ['1Ei', 2 ** 60],
  ['-1', -1],
  ['', undefined],
  ['Mi', undefined],
  ['1mi', undefined],
  ['1MI', undefined],
  ['1K', undefined],
  ['1MB', undefined],
  ['1 Mi', undefined],
  ['1e3Mi', undefined],
  ['0x10', undefined],
  ['1e999', undefined],
  ['NaN', undefined],
  ['lots', undefined],
];

for (const [text, value] of parsed) {
  test(`the quantity ${JSON.stringify(text)} is ${value ?? 'refused'}`, () => {
    const got = parseQuantity(text);
    if (value === undefined) assert.equal(got, undefined);
    else assert.ok(got !== undefined && Math.abs(got - value) < 1e-9, `got ${got}`);
  });
}

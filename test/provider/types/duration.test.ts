import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../../provider/types/duration.ts';

const parsed: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['0', 0],
  ['30', 30_000],
  ['30s', 30_000],
  ['1m5s', 65_000],
  ['1h', 3_600_000],
  ['1.5h', 5_400_000],
  ['4.35h', 15_660_000],
  ['250ms', 250],
  ['.5s', 500],
  ['1.s', 1000],
  ['3us', 0.003],
  ['3µs', 0.003],
  ['3μs', 0.003],
  ['7ns', 0.000007],
  ['-1m', -60_000],
  ['+1m', 60_000],
  ['0s', 0],
  ['2562047h', 9_223_369_200_000],
  ['2562048h', undefined],
  ['9'.repeat(400), undefined],
  ['', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['1', 1000],
  ['1.5', undefined],
  ['-1', undefined],
  ['1 m', undefined],
  ['1d', undefined],
  ['1m ', undefined],
  ['1m\n', undefined],
  ['1e3s', undefined],
  ['garbage', undefined],
];

for (const [text, ms] of parsed) {
  test(`fact 17: the duration ${JSON.stringify(text.slice(0, 20))} is ${ms ?? 'refused'}`, () => {
    assert.equal(parseDuration(text), ms);
  });
}

const printed: readonly (readonly [ms: number, text: string])[] = [
  [0, '0s'],
  [0.000001, '1ns'],
  [0.0000001, '0s'],
  [0.25, '250µs'],
  [1, '1ms'],
  [1.5, '1.5ms'],
  [999.9999999, '1s'],
  [1500, '1.5s'],
  [60_000, '1m0s'],
  [90_000, '1m30s'],
  [3_600_000, '1h0m0s'],
  [15_659_999.999999998, '4h21m0s'],
  [-1500, '-1.5s'],
];

for (const [ms, text] of printed) {
  test(`${ms} ms are printed as ${text}`, () => {
    assert.equal(formatDuration(ms), text);
  });
}

test('what is printed reads as the same duration', () => {
  for (const ms of [0, 0.000001, 0.001, 0.5, 1, 12.345678, 999, 1000, 61_001, 86_399_999, 86_400_000]) {
    assert.equal(parseDuration(formatDuration(ms)), ms);
  }
});

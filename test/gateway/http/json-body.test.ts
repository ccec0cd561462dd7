import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../gateway/http/json-body.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('JSON nested 100 deep is read, deeper is refused before it is parsed', () => {
  assert.deepEqual(JSON.stringify(parseJson(nested(100))), nested(100));
  for (const text of [nested(101), '['.repeat(1_000_000), `{"a":${nested(100)}}`, '[{"a":'.repeat(51)]) {
    assert.throws(() => parseJson(text), { code: 'invalid', message: /^body: expected JSON nested at most 100 deep, got more$/ });
  }
});

test('brackets in strings are no depth, and siblings do not add up', () => {
  const text = JSON.stringify({ text: `\\"${'{['.repeat(1000)}`, list: Array.from({ length: 1000 }, () => [[{}]]) });
  assert.equal(JSON.stringify(parseJson(text)), text);
});

test('of a repeated key the last value counts, as in OpenFaaS', () => {
  assert.deepEqual(parseJson('{"a":1,"a":2}'), { a: 2 });
});

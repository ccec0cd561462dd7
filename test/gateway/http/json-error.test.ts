import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../../gateway/http/json-body.ts';
import { jsonErrorOffset, jsonErrorPlace } from '../../../gateway/http/json-error.ts';

const mistakes: readonly (readonly [text: string, offset: number])[] = [
  ['', 0],
  ['  ', 2],
  ['xyz', 0],
  ['{bad}', 1],
  ['{"a":1,}', 7],
  ['[1,]', 3],
  ['[1,2', 4],
  ['{"a" 1}', 5],
  ['{"a":tru}', 5],
  ['{"a":01}', 5],
  ['"abc', 0],
  ['{"a":"b\nc"}', 5],
  ['{"a":1} x', 8],
  ['[1}', 2],
  ['}', 0],
  ["{'a':1}", 1],
  ['[1 2]', 3],
  ['{"a":{}', 7],
];
for (const [text, offset] of mistakes) {
  test(`the mistake in ${JSON.stringify(text)} is at offset ${offset}`, () => {
    assert.throws(() => JSON.parse(text));
    assert.equal(jsonErrorOffset(text), offset);
  });
}

const valid = ['{}', '[]', ' [1, -2.5e+10, "a\\u00e9\\n", true, null, {"a": [{}]}] ', '"x"', '0', '{"a":{"b":[]},"c":-0.1}'];
for (const text of valid) {
  test(`${text} has no mistake`, () => {
    JSON.parse(text);
    assert.equal(jsonErrorOffset(text), -1);
  });
}

test('the place is a line and a column, counted from 1', () => {
  assert.equal(jsonErrorPlace('{\n  "service": "x",\n  image: 1\n}'), 'line 3, column 3');
});

test('a mistake in a megabyte is found without trouble', () => {
  assert.equal(jsonErrorOffset(`["${'a'.repeat(1_000_000)}", ${'['.repeat(10_000)}`), 1_010_005);
  assert.equal(jsonErrorOffset(`"${'\\n'.repeat(500_000)}`), 0);
});

test('the error of a bad body says where and what', () => {
  assert.throws(() => parseJson('{"a":\ntru}'), {
    code: 'invalid',
    message: /^body: expected JSON, got a mistake at line 2, column 1: /,
  });
  assert.throws(() => parseJson(' '), {
    code: 'invalid',
    message: 'body: expected JSON, got a mistake at line 1, column 2: nothing',
  });
});

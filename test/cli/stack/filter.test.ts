import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterStack } from '../../../cli/stack/filter.ts';
import { parseStack } from '../../../cli/stack/parse.ts';

const stack = parseStack('provider: {name: openfaas}\nfunctions: {img-a: {}, img-b: {}, my-img: {}}\n', 'stack.yaml');
const names = (given: Parameters<typeof filterStack>[1]) => filterStack(stack, given).functions.map((fn) => fn.name);

test('--filter is anchored and knows only the star, --regex is not anchored', () => {
  assert.deepEqual(names({ filter: 'img-*' }), ['img-a', 'img-b']);
  assert.deepEqual(names({ filter: '*img*' }), ['img-a', 'img-b', 'my-img']);
  assert.deepEqual(names({ regex: 'img$' }), ['my-img']);
  assert.deepEqual(names({}), ['img-a', 'img-b', 'my-img']);
});

test('cli fact 90: --filter and --regex together fail, and so does no match', () => {
  assert.throws(() => names({ filter: 'a', regex: 'b' }), /expected --filter or --regex, got both/);
  assert.throws(() => names({ filter: 'img.a' }), /no function of stack\.yaml matches img\.a; it has img-a, img-b, my-img/);
  assert.throws(() => names({ regex: '(' }), /--regex: expected a regular expression, got "\("/);
});

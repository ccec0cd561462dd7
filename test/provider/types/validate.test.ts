import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parse } from '../../../provider/types/validate.ts';

const Shape = z.strictObject({
  list: z
    .array(z.object({ n: z.number() }))
    .max(2, { error: 'expected at most 2' })
    .optional(),
});

for (const [value, message] of [
  [undefined, 'thing: expected an object, got nothing'],
  [{ list: [{ n: 1 }, { n: 'x' }] }, 'list.1.n: expected number, got "x"'],
  [{ list: [{ n: 1 }, {}] }, 'list.1.n: expected number, got nothing'],
  [{ a: 1, b: 2 }, 'thing: unknown key a, b'],
  [{ list: 'y'.repeat(200) }, `list: expected array, got "${'y'.repeat(76)}...`],
] as const) {
  test(`${JSON.stringify(value)?.slice(0, 40)} is refused with field, expectation and value`, () => {
    assert.throws(() => parse(Shape, value, 'thing'), { code: 'invalid', message });
  });
}

test('a value that fits comes back typed', () => {
  assert.deepEqual(parse(Shape, { list: [{ n: 1, more: 2 }] }), { list: [{ n: 1 }] });
});

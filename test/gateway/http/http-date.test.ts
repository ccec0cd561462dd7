import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpDate } from '../../../gateway/http/http-date.ts';

test('the date is that of the second, as HTTP writes it, also when the clock goes back', () => {
  let nowMs = 784_111_777_000;
  const date = createHttpDate(() => nowMs);
  const at = (ms: number): string => {
    nowMs = ms;
    return date();
  };
  assert.equal(at(784_111_777_000), 'Sun, 06 Nov 1994 08:49:37 GMT');
  assert.equal(at(784_111_777_999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  assert.equal(at(784_111_778_000), 'Sun, 06 Nov 1994 08:49:38 GMT');
  assert.equal(at(784_111_776_500), 'Sun, 06 Nov 1994 08:49:36 GMT');
});

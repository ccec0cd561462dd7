import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGoTime } from '../../../cli/output/go-time.ts';

const time = '2026-03-04T05:06:07.089012345Z';
const cases: [layout: string, expected: string][] = [
  ['RFC3339', '2026-03-04T05:06:07Z'],
  ['rfc3339nano', '2026-03-04T05:06:07.089012345Z'],
  ['ANSIC', 'Wed Mar  4 05:06:07 2026'],
  ['UnixDate', 'Wed Mar  4 05:06:07 UTC 2026'],
  ['RubyDate', 'Wed Mar 04 05:06:07 +0000 2026'],
  ['RFC822', '04 Mar 26 05:06 UTC'],
  ['RFC822Z', '04 Mar 26 05:06 +0000'],
  ['RFC850', 'Wednesday, 04-Mar-26 05:06:07 UTC'],
  ['RFC1123', 'Wed, 04 Mar 2026 05:06:07 UTC'],
  ['RFC1123Z', 'Wed, 04 Mar 2026 05:06:07 +0000'],
  ['15:04:05.000', '05:06:07.089'],
  ['3:04PM', '5:06AM'],
  ['2006-01-02T15:04:05.999Z07:00', '2026-03-04T05:06:07.089Z'],
];
for (const [layout, expected] of cases) {
  test(`a time is written in Go's layout ${layout}`, () => assert.equal(formatGoTime(time, layout), expected));
}

test('a text that is no time stays as it is', () => assert.equal(formatGoTime('soon', 'RFC3339'), 'soon'));

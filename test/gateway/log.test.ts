import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { toPlainLine } from '../../gateway/log.ts';

const written = (act: (log: pino.Logger) => void): string => {
  let text = '';
  const write = (line: string): void => {
    text += toPlainLine(line);
  };
  act(pino({ level: 'trace', timestamp: () => ',"time":1764072000000' }, { write }));
  return text;
};

test('an entry is one line with its time, level, message and fields', () => {
  assert.equal(
    written((log) => log.child({ part: 'provider' }).warn({ function: { name: 'fn' }, failures: 2 }, 'it ended')),
    '12:00:00 warning: it ended (function={"name":"fn"} failures=2)\n',
  );
});

test('an error shows where it comes from', () => {
  const text = written((log) => log.error({ err: new TypeError('broken'), path: '/a' }, 'request failed'));
  assert.match(text, /^12:00:00 error: request failed: TypeError: broken\n {4}at .*log\.test\.ts/);
  assert.match(text, / \(path=\/a\)\n$/);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { humanSize } from '../../watchdog/access-log.ts';
import { limitOf } from '../../watchdog/call.ts';
import { type Environment, readConfig } from '../../watchdog/config.ts';
import { parseBytes } from '../../watchdog/inproc/event-body.ts';
import { parseForm } from '../../watchdog/inproc/form.ts';
import { pickHandler } from '../../watchdog/inproc/load.ts';
import { createLineWriter } from '../../watchdog/log-lines.ts';
import { createMetrics } from '../../watchdog/metrics.ts';

test('settings have the defaults of the contract alone, and no limits of their own in a blank start', () => {
  const alone = readConfig({ fprocess: 'cat' }, 'standalone');
  assert.deepEqual(
    [
      alone.mode,
      alone.port,
      alone.readTimeoutMs,
      alone.writeTimeoutMs,
      alone.execTimeoutMs,
      alone.healthcheckIntervalMs,
      alone.prefixLogs,
    ],
    ['streaming', 8080, 30_000, 30_000, 30_000, 30_000, true],
  );
  const blank = readConfig({ fprocess: 'cat' }, 'blank');
  assert.deepEqual(
    [
      blank.readTimeoutMs,
      blank.writeTimeoutMs,
      blank.execTimeoutMs,
      blank.healthcheckIntervalMs,
      blank.prefixLogs,
      blank.accessLog,
    ],
    [0, 0, 0, 0, false, false],
  );
});

const settings: readonly { name: string; env: Environment; key: string; want: unknown }[] = [
  { name: 'an integer is seconds (fact 7)', env: { read_timeout: '10' }, key: 'readTimeoutMs', want: 10_000 },
  { name: 'a duration is a duration (fact 7)', env: { read_timeout: '10s' }, key: 'readTimeoutMs', want: 10_000 },
  {
    name: 'healthcheck_interval follows write_timeout (fact 8)',
    env: { write_timeout: '7s' },
    key: 'healthcheckIntervalMs',
    want: 7000,
  },
  {
    name: 'http_upstream_url wins (fact 10)',
    env: { upstream_url: 'http://a', http_upstream_url: 'http://b' },
    key: 'upstreamUrl',
    want: 'http://b',
  },
  { name: 'log_call_id is not read (fact 10)', env: { log_call_id: 'true' }, key: 'logCallId', want: false },
  { name: 'function_process wins (fact 2)', env: { function_process: 'b  c' }, key: 'fprocess', want: ['b', '', 'c'] },
  { name: 'a negative log_buffer_size is allowed', env: { log_buffer_size: '-1' }, key: 'logBufferBytes', want: -1 },
];

for (const { name, env, key, want } of settings) {
  test(`settings: ${name}`, () => {
    assert.deepEqual(readConfig({ fprocess: 'cat', ...env }, 'standalone')[key as 'mode'], want);
  });
}

test('X-Timeout only ever shortens', () => {
  const rows: [number, string | undefined, number][] = [
    [1000, undefined, 1000],
    [1000, '500ms', 500],
    [1000, '2s', 1000],
    [1000, 'x', 1000],
    [1000, '0', 1000],
    [0, '500ms', 0],
  ];
  for (const [limit, asked, want] of rows) assert.equal(limitOf(limit, asked), want);
});

test('sizes are decimal with four digits', () => {
  assert.deepEqual([humanSize(0), humanSize(999), humanSize(1_234_567), humanSize(-1)], ['0B', '999B', '1.235MB', '-1B']);
});

test('byte sizes are binary', () => {
  assert.deepEqual(
    [parseBytes('100kb'), parseBytes('1.5MB'), parseBytes('12'), parseBytes('x')],
    [102_400, 1_572_864, 12, undefined],
  );
});

test('form fields never reach a prototype', () => {
  parseForm('__proto__[polluted]=1&constructor[prototype][polluted]=1&a[__proto__][polluted]=1');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('the kind of a handler is told by what is exported', () => {
  const web = (_request: unknown) => undefined;
  const event = (_event: unknown, _context: unknown) => undefined;
  const rows: [unknown, 'event' | 'web'][] = [
    [web, 'web'],
    [event, 'event'],
    [() => undefined, 'event'],
    [{ default: web }, 'web'],
    [{ default: { default: event } }, 'event'],
    [{ handle: event }, 'event'],
    [{ handler: web }, 'web'],
    [{ default: { handler: event } }, 'event'],
    [{ default: { fetch: () => undefined } }, 'web'],
    [{ fetch: () => undefined }, 'web'],
  ];
  for (const [exported, style] of rows) assert.equal(pickHandler(exported, 'auto').style, style);
  assert.equal(pickHandler(event, 'web').style, 'web');
  assert.equal(pickHandler(web, 'event').style, 'event');
  assert.throws(() => pickHandler({ other: 1 }, 'auto'), /got other/);
});

test('lines are put together from any pieces, and long ones split', () => {
  const lines: string[] = [];
  const writer = createLineWriter(
    () => '> ',
    4,
    (line) => void lines.push(line),
  );
  for (const piece of ['a', 'b\r\n', '\nabcdef', 'gh\nabcd\nx']) writer.write(Buffer.from(piece));
  writer.end();
  assert.deepEqual(lines, ['> ab\n', '> \n', '> abcd\n', '> efgh\n', '> abcd\n', '> x\n']);
});

test('an unknown method is counted as unknown (fact 62)', () => {
  const metrics = createMetrics();
  metrics.observe('BREW', 418, 0.02);
  const text = metrics.text(0);
  assert.match(text, /http_requests_total\{code="418",method="unknown"\} 1/);
  assert.match(text, /le="0.01"\} 0\n.*le="0.025"\} 1\n/);
});

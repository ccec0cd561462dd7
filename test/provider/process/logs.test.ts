import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLineSplitter } from '../../../provider/process/lines.ts';
import { createLogRing, type LogRing } from '../../../provider/process/log-ring.ts';
import { readLogs } from '../../../provider/process/read-logs.ts';
import type { LogQuery } from '../../../provider/types/logs.ts';

const minute = 60_000;
const query = (more: Partial<LogQuery> = {}): LogQuery => ({ name: 'fn', namespace: 'ns', follow: false, ...more });

const read = async (ring: LogRing, more: Partial<LogQuery>, now: number): Promise<string[]> => {
  const texts: string[] = [];
  for await (const line of readLogs(ring, query(more), AbortSignal.timeout(5000), () => now)) texts.push(line.text.trimEnd());
  return texts;
};

test('lines are split wherever the chunks end, also inside a character', () => {
  const lines: string[] = [];
  const splitter = createLineSplitter(100, (line) => lines.push(line));
  const bytes = Buffer.from('eins\r\nzwölf\n\nrest');
  for (const byte of bytes) splitter.push(Buffer.from([byte]));
  splitter.end();
  assert.deepEqual(lines, ['eins', 'zwölf', '', 'rest']);
});

test('a line that is too long is cut into several, and nothing is lost', () => {
  const lines: string[] = [];
  const splitter = createLineSplitter(10, (line) => lines.push(line));
  splitter.push(Buffer.from(`${'x'.repeat(25)}\n`));
  splitter.end();
  assert.equal(lines.join(''), 'x'.repeat(25));
  assert.ok(lines.every((line) => line.length <= 10));
});

test('a short line does not keep the long output around it in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept: string[] = [];
  const splitter = createLineSplitter(65_536, (line) => void (line.length < 100 && kept.push(line)));
  const chunk = Buffer.from(`${'x'.repeat(60_000)}\nthis is what is kept of it\n`);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 500; at += 1) splitter.push(chunk);
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(kept.length, 500);
  assert.ok(grown < 5_000_000, `${grown} bytes for ${kept.length} short lines`);
});

test('a ring keeps the last lines by number and by size', () => {
  const ring = createLogRing({ maxLines: 3, maxBytes: 1000 }, () => 0);
  for (let at = 0; at < 10; at += 1) ring.push('i', `line ${at}`);
  assert.deepEqual([ring.first(), ring.next(), ring.at(7)?.text, ring.at(6)], [7, 10, 'line 7', undefined]);
  const small = createLogRing({ maxLines: 100, maxBytes: 10 }, () => 0);
  for (const text of ['aaaa', 'bbbb', 'cccc']) small.push('i', text);
  assert.equal(small.first(), 1);
});

test('lines that a ring has dropped are not kept in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ring = createLogRing({ maxLines: 2000, maxBytes: 512 * 1024 }, () => 0);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 1000; at += 1) ring.push('i', Buffer.alloc(65_536, at).toString('latin1'));
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(ring.next() - ring.first(), 8);
  assert.ok(grown < 5_000_000, `${grown} bytes for 512 KiB`);
});

test('fact 123: without tail and since the last five minutes are read', async () => {
  let now = 0;
  const ring = createLogRing({ maxLines: 100, maxBytes: 1000 }, () => now);
  ring.push('i', 'old');
  now = 4 * minute;
  ring.push('i', 'new');
  assert.deepEqual(await read(ring, {}, 6 * minute), ['new']);
  assert.deepEqual(await read(ring, { tail: 5 }, 6 * minute), ['old', 'new']);
  assert.deepEqual(await read(ring, { sinceMs: 0 }, 6 * minute), ['old', 'new']);
});

test("a tail counts the picked replica's lines only", async () => {
  const ring = createLogRing({ maxLines: 100, maxBytes: 1000 }, () => 0);
  for (let at = 0; at < 6; at += 1) ring.push(at % 2 === 0 ? 'a' : 'b', String(at));
  assert.deepEqual(await read(ring, { tail: 2, instance: 'a' }, 0), ['2', '4']);
});

test('a follower that reads too slowly loses the oldest lines and is told how many', async () => {
  const ring = createLogRing({ maxLines: 3, maxBytes: 1000 }, () => 0);
  const leave = new AbortController();
  const lines = readLogs(ring, query({ follow: true }), leave.signal, () => 0);
  ring.push('i', 'first');
  assert.equal((await lines.next()).value?.text, 'first\n');
  for (let at = 0; at < 10; at += 1) ring.push('i', `line ${at}`);
  assert.match((await lines.next()).value?.text ?? '', /7 lines were lost/);
  assert.equal((await lines.next()).value?.text, 'line 7\n');
  leave.abort();
  assert.equal((await lines.next()).done, true);
});

test('who follows waits for new lines and ends when the function goes', async () => {
  const ring = createLogRing({ maxLines: 3, maxBytes: 1000 }, () => 0);
  const lines = readLogs(ring, query({ follow: true }), new AbortController().signal, () => 0);
  const next = lines.next();
  ring.push('i', 'later');
  assert.equal((await next).value?.text, 'later\n');
  const end = lines.next();
  ring.close();
  assert.equal((await end).done, true);
});

test('everybody who waits hears of a line, also of the next one', async () => {
  const ring = createLogRing({ maxLines: 3, maxBytes: 1000 }, () => 0);
  const follow = () => readLogs(ring, query({ follow: true }), AbortSignal.timeout(5000), () => 0);
  const followers = [follow(), follow()];
  for (const text of ['first', 'second']) {
    const heard = followers.map((lines) => lines.next());
    ring.push('i', text);
    for (const next of heard) assert.equal((await next).value?.text, `${text}\n`);
  }
  ring.close();
  for (const lines of followers) assert.equal((await lines.next()).done, true);
});

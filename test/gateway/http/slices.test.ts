import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { writeInSlices } from '../../../gateway/http/slices.ts';

function* texts(count: number, size: number): Generator<string, void> {
  for (let index = 0; index < count; index += 1) yield `${index}`.padEnd(size, '.');
}

test('everything arrives, in order', async () => {
  const stream = new PassThrough();
  const received = text(stream);
  await writeInSlices(texts(5_000, 100), stream);
  stream.end();
  assert.equal(await received, [...texts(5_000, 100)].join(''));
});

test('long work gives way to timers', async () => {
  const stream = new PassThrough();
  stream.resume();
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const slow = function* (): Generator<string, void> {
    for (let index = 0; index < 200; index += 1) {
      const end = performance.now() + 0.2;
      while (performance.now() < end);
      yield 'x';
    }
  };
  await writeInSlices(slow(), stream);
  clearInterval(timer);
  assert.ok(turns >= 3, `${turns} turns of a timer within 40 ms of work`);
});

test('a few long texts give way as many short ones do', async () => {
  const stream = new Writable({ highWaterMark: 2 ** 30, write: (_chunk, _encoding, done) => done() });
  let turns = 0;
  let watching = true;
  const watch = (): void => {
    turns += 1;
    if (watching) setImmediate(watch);
  };
  setImmediate(watch);
  const slow = function* (): Generator<string, void> {
    for (let index = 0; index < 10; index += 1) {
      const end = performance.now() + 2;
      while (performance.now() < end);
      yield 'x'.repeat(20_000);
    }
  };
  await writeInSlices(slow(), stream);
  watching = false;
  assert.ok(turns >= 5, `${turns} turns of the event loop within ten texts of 2 ms each`);
});

test('a reader that does not read holds the writer back', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 });
  let made = 0;
  const counted = function* (): Generator<string, void> {
    for (const each of texts(10_000, 1024)) {
      made += 1;
      yield each;
    }
  };
  const writing = writeInSlices(counted(), stream);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(made < 500, `${made} made although nobody reads`);
  stream.resume();
  await writing;
  assert.equal(made, 10_000);
});

test('a reader that leaves ends the writing', async () => {
  const stream = new PassThrough({ highWaterMark: 1024 });
  const writing = writeInSlices(texts(100_000, 1024), stream);
  setImmediate(() => stream.destroy());
  await writing;
});

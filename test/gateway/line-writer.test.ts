import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLineWriter, type LineWriter } from '../../gateway/line-writer.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

const opened = (t: TestContext, path: string, flags: number): number => {
  const fd = openSync(path, flags);
  onEnd(t, () => closeSync(fd));
  return fd;
};

/** Tells of lost lines in the same place, as the gateway's log does. */
const startWriter = (t: TestContext, fd: number, maxKept?: number): LineWriter => {
  const writer = createLineWriter({
    fd,
    ...(maxKept === undefined ? {} : { maxKept }),
    onLost: (lines) => writer.write(`lost ${lines}\n`),
  });
  onEnd(t, () => writer.close());
  return writer;
};

const makePipe = async (t: TestContext) => {
  const path = join(await makeTmpDir(t), 'pipe');
  execFileSync('mkfifo', [path]);
  // With a reader's end of our own the pipe is open, and full after 64 KiB.
  const fd = opened(t, path, constants.O_RDWR | constants.O_NONBLOCK);
  const read = (): (() => string) => {
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    onEnd(t, () => void reader.kill('SIGKILL'));
    let text = '';
    reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    return () => text;
  };
  return { fd, read };
};

test('lines are in a file in their order when the writer is closed', async (t) => {
  const path = join(await makeTmpDir(t), 'log');
  const writer = startWriter(t, opened(t, path, constants.O_WRONLY | constants.O_CREAT));
  const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} with an ü\n`);
  for (const line of lines) writer.write(line);
  await writer.close();
  writer.write('too late\n');
  assert.equal(readFileSync(path, 'utf8'), lines.join(''));
});

test('a full pipe holds nobody up: its lines come once it is read, and what found no room is counted', async (t) => {
  const { fd, read } = await makePipe(t);
  const writer = startWriter(t, fd, 100_000);
  for (let i = 0; i < 4000; i += 1) writer.write(`${String(i).padStart(99, '.')}\n`);
  const text = read();
  await eventually(() => /^lost \d+\n/m.test(text()), { what: 'the count of lost lines' });
  const lines = text().trimEnd().split('\n');
  const kept = lines.filter((line) => !line.startsWith('lost')).map((line) => Number(line.replaceAll('.', '')));
  const lost = Number(/^lost (\d+)$/m.exec(text())?.[1]);
  assert.equal(kept.length + lost, 4000);
  assert.deepEqual(
    kept,
    Array.from(kept, (_, i) => i),
  );
  writer.write('and on\n');
  await eventually(() => text().endsWith('and on\n'), { what: 'a line after the loss' });
});

test('a writer whose pipe stays full can be closed', async (t) => {
  const { fd } = await makePipe(t);
  const writer = startWriter(t, fd);
  for (let i = 0; i < 4000; i += 1) writer.write(`${'x'.repeat(99)}\n`);
  await writer.close();
});

test('lines for a full disk are left out without a failure', async (t) => {
  const lost: number[] = [];
  const fd = opened(t, '/dev/full', constants.O_WRONLY);
  const writer = createLineWriter({ fd, onLost: (lines) => lost.push(lines) });
  onEnd(t, () => writer.close());
  for (let i = 0; i < 100; i += 1) writer.write(`${i}\n`);
  await writer.close();
  assert.deepEqual(lost, []);
});

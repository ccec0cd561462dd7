import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createProgress } from '../../../cli/output/progress.ts';

const collect = (isTTY: boolean) => {
  let written = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      written += chunk;
      done();
    },
  });
  const text = (): string => {
    const since = written;
    written = '';
    return since;
  };
  return { stream: Object.assign(stream, { isTTY, columns: 40 }), text };
};

test('without a terminal every step is a line with the name in front', () => {
  const { stream, text } = collect(false);
  const progress = createProgress(stream, {}, ['a', 'b']);
  progress.step('a', 'building');
  progress.line('a', 'one\ntwo');
  progress.failed('b', 'failed');
  progress.done('a', 'answers');
  progress.close();
  assert.equal(text(), 'a: building\na: one\na: two\nb: failed\na: answers\n');
});

test('output that names the function itself gets no second name', () => {
  for (const isTerminal of [false, true]) {
    const { stream, text } = collect(isTerminal);
    const progress = createProgress(stream, { NO_COLOR: '1' }, ['a']);
    progress.line('a', 'a: node --test');
    progress.line('a', 'b: node --test');
    progress.close();
    assert.deepEqual(text().match(/[ab]: .*node --test/g), ['a: node --test', 'a: b: node --test']);
  }
});

test('on a terminal the lines are drawn over, cut to its width, and output goes above them', () => {
  const { stream, text } = collect(true);
  const progress = createProgress(stream, { NO_COLOR: '1' }, ['a', 'long']);
  progress.step('a', 'x'.repeat(100));
  assert.equal(text(), `- a     ${'x'.repeat(31)}\n  long  waiting\n`);
  progress.line('long', 'output');
  assert.match(text(), /^\u001b\[2A\u001b\[Jlong: output\n- a /);
  progress.done('a', 'answers');
  assert.match(text(), /✓ a {5}answers\n/);
  progress.close();
});

test('a dumb terminal gets plain lines', () => {
  const { stream, text } = collect(true);
  const progress = createProgress(stream, { TERM: 'dumb' }, ['a']);
  progress.step('a', 'building');
  assert.equal(text(), 'a: building\n');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { causeOfDeath, inOneLine, lastWords, toFailure } from '../../../provider/process/failure.ts';

const death = { exit: { code: 1, signal: null }, outOfMemory: false, memoryLimit: undefined, lines: [] };

test('the last line that says something is picked, not the stack below it', () => {
  const lines = ['hello', 'Error: boom', '    at handler.js:1:1', '', 'Node.js v26.10.0'];
  assert.equal(lastWords(lines), 'Error: boom');
  assert.equal(lastWords(['', '  ']), undefined);
});

test('an error with its stack is told in one line, the place of a syntax error included', () => {
  assert.equal(
    inOneLine('handler f.js: Error: no database\n    at file:///f.js:1:7\n    at load'),
    'handler f.js: Error: no database',
  );
  const syntax = 'handler f.js: file:///f.js:3\nfoo bar\n    ^^^\n\nSyntaxError: Unexpected identifier\n    at compile';
  assert.equal(inOneLine(syntax), 'handler f.js: file:///f.js:3 foo bar SyntaxError: Unexpected identifier');
});

test('an exit is told with its code, or the signal, and the last words', () => {
  assert.deepEqual(causeOfDeath({ ...death, lines: ['bye'] }), {
    reason: 'Exited',
    message: 'a replica exited with code 1: bye',
  });
  assert.match(causeOfDeath({ ...death, exit: { code: null, signal: 'SIGSEGV' } }).message, /was killed by SIGSEGV/);
});

test('memory is named as the reason, whether the kernel or V8 ended it', () => {
  const killed = causeOfDeath({ ...death, outOfMemory: true, memoryLimit: '64Mi' });
  assert.equal(killed.reason, 'OOMKilled');
  assert.match(killed.message, /64Mi/);
  const heap = ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'];
  assert.equal(causeOfDeath({ ...death, lines: heap }).reason, 'OOMKilled');
});

test('an exit that repeats is a crash loop; other reasons keep their name', () => {
  const exited = { reason: 'Exited', message: 'm' };
  assert.equal(toFailure(exited, 1, 5).reason, 'Exited');
  assert.deepEqual(toFailure(exited, 2, 5), { reason: 'CrashLoop', message: 'm (2 times in a row)', retryAtMs: 5 });
  assert.equal(toFailure({ reason: 'LoadFailed', message: 'm' }, 3, 5).reason, 'LoadFailed');
});

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runCli } from './run-cli.ts';

for (const words of [
  ['invoke', 'fn'],
  ['secret', 'create', 'key'],
  ['login', '--password-stdin'],
]) {
  test(`one interrupt ends \`${words.join(' ')}\` while it waits for its input`, async (t) => {
    const interrupt = new AbortController();
    const stdin = new Readable({ read: () => interrupt.abort() });
    const ran = await runCli(t, [...words, '--gateway', 'http://127.0.0.1:1'], { stdin, tty: true, signal: interrupt.signal });
    assert.equal(ran.code, 130);
    assert.match(ran.stderr, /^reading the (body|value|password) from standard input; end it with Ctrl-D\n$/);
    assert.equal(stdin.destroyed, true);
  });
}

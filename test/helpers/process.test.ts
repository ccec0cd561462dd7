import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, within } from './eventually.ts';
import { runProgram, startProgram } from './process.ts';

const node = process.execPath;

test("a program's line is waited for, on either stream", async (t) => {
  const program = startProgram(t, node, ['-e', 'setTimeout(() => console.error("port 123"), 20); setInterval(() => {}, 1000)']);
  assert.equal((await program.until(/port (\d+)/))[1], '123');
  assert.match(program.stderr(), /port/);
  program.kill('SIGTERM');
  assert.deepEqual(await program.exited, { code: null, signal: 'SIGTERM' });
});

test('a program that ends without the line says what it printed', async (t) => {
  const program = startProgram(t, node, ['-e', 'console.log("other"); process.exit(4)']);
  await assert.rejects(program.until(/port/), /ended with 4 before it printed \/port\/\n.*\nother/);
});

test('a program that is silent for too long says so', async (t) => {
  const program = startProgram(t, node, ['-e', 'setInterval(() => {}, 1000)']);
  await assert.rejects(program.until(/port/, 50), /not printed within 50 ms/);
});

test('a program sees only the environment and input it is given', async (t) => {
  const source = 'process.stdin.pipe(process.stdout); console.log(JSON.stringify(Object.keys(process.env)))';
  const { code, stdout } = await runProgram(t, node, ['-e', source], { env: { ONE: '1' }, input: 'fed' });
  assert.deepEqual([code, stdout], [0, '["ONE"]\nfed']);
});

test('a program that cannot be started is an error', async (t) => {
  await assert.rejects(runProgram(t, '/nowhere/at/all', []), { code: 'ENOENT' });
});

test('what never happens is reported with the last value', async () => {
  await assert.rejects(
    eventually(() => undefined, { what: 'x', timeoutMs: 20 }),
    /not within 20 ms: x; last: undefined/,
  );
  await assert.rejects(
    eventually(
      () => {
        throw new Error('not yet');
      },
      { what: 'y', timeoutMs: 20 },
    ),
    /y; last: not yet/,
  );
  await assert.rejects(within(new Promise(() => undefined), 'z', 20), /not within 20 ms: z/);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { packWatchdog } from '../../scripts/pack-watchdog.js';
import { makeTmpDir } from '../helpers/tmp.ts';
import { watchdogFile } from '../provider/process/support/watchdog-file.ts';

const run = promisify(execFile);

const printsVersion = async (file: string): Promise<string> => (await run(process.execPath, [file, '-version'])).stdout;

test('the packed watchdog brings compiled code that its own Node.js takes, and another does without', async (t) => {
  const packed = await packWatchdog(await readFile(await watchdogFile(), 'utf8'));
  const file = join(await makeTmpDir(t), 'watchdog.cjs');
  await writeFile(file, `${packed}process.stdout.write(String(script.cachedDataRejected));`);
  assert.equal(await printsVersion(file), 'sluice watchdog 0.1.0\nfalse');
  await writeFile(file, `${packed.replace(process.version, 'v0.0.0')}process.stdout.write(String(script.cachedDataRejected));`);
  assert.equal(await printsVersion(file), 'sluice watchdog 0.1.0\nundefined');
});

test('a program that cannot be recorded stays as it is', async (t) => {
  const warned = t.mock.method(console, 'warn', () => undefined);
  const program = 'process.exit(0);';
  assert.equal(await packWatchdog(program), program);
  assert.match(String(warned.mock.calls[0]?.arguments[0]), /without compiled code.*ended too early/);
});

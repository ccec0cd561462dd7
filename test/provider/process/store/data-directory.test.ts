import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onEnd } from '../../../helpers/cleanup.ts';
import { open, openFor, ref, stored, temporaryDirectory } from './fixture.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('only the own account may read the data directory and its files, whatever the umask', async (t) => {
  for (const umask of [0o000, 0o022, 0o777]) {
    const directory = join(temporaryDirectory(t), 'deep', 'data');
    mkdirSync(join(directory, '..'));
    const before = process.umask(umask);
    onEnd(t, () => process.umask(before));
    const store = await open(directory);
    await store.createFunction(stored('hello'));
    process.umask(before);
    assert.equal(modeOf(directory), '700');
    const files = readdirSync(directory);
    assert.ok(files.includes('sluice.db') && files.includes('sluice.db-wal'), files.join());
    for (const file of files) assert.equal(modeOf(join(directory, file)), '600', `${file} under umask ${umask.toString(8)}`);
    await store.close();
  }
});

test('an empty directory that others can read is made private, as a fresh volume is', async (t) => {
  const directory = join(temporaryDirectory(t), 'data');
  mkdirSync(join(directory, 'lost+found'), { recursive: true });
  chmodSync(directory, 0o755);
  await openFor(t, directory);
  assert.equal(modeOf(directory), '700');
});

test('a public directory full of other files is refused and left alone', async (t) => {
  const directory = join(temporaryDirectory(t), 'data');
  mkdirSync(directory);
  writeFileSync(join(directory, 'photo.jpg'), '');
  chmodSync(directory, 0o755);
  await assert.rejects(open(directory), { code: 'invalid', message: /data directory: expected .* 1 entries and mode 0755/ });
  assert.equal(modeOf(directory), '755');
  assert.deepEqual(readdirSync(directory), ['photo.jpg']);
});

test('a second gateway on the same data directory is refused at once, naming the holder', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await open(directory, 'pid 12 http://127.0.0.1:8080');
  const startMs = performance.now();
  await assert.rejects(open(directory, 'the second'), {
    code: 'conflict',
    message: `data directory: ${directory} is in use by pid 12 http://127.0.0.1:8080`,
  });
  assert.ok(performance.now() - startMs < 1000);
  await first.createFunction(stored('hello'));
  await first.close();
  const second = await openFor(t, directory);
  assert.equal(second.functions().length, 1);
});

test('the lock goes with its holder, even when that is killed and its children live on', { timeout: 20_000 }, async (t) => {
  const directory = temporaryDirectory(t);
  const holder = spawn(process.execPath, [fileURLToPath(new URL('./hold.ts', import.meta.url)), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onEnd(t, () => holder.kill('SIGKILL'));
  const [line] = (await once(holder.stdout, 'data')) as [Buffer];
  const orphan = Number(line.toString());
  onEnd(t, () => process.kill(orphan, 'SIGKILL'));
  await assert.rejects(open(directory), { code: 'conflict', message: new RegExp(`in use by pid ${holder.pid}$`) });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.ok(process.kill(orphan, 0));
  const store = await openFor(t, directory);
  assert.deepEqual(store.function(ref('held')), stored('held'));
});

test('a file that is no database stops the start, naming the file', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'sluice.db'), 'this is no database '.repeat(500));
  const message = new RegExp(`^${join(directory, 'sluice.db')}: the database is damaged`);
  await assert.rejects(open(directory), { code: 'internal', message });
  await assert.rejects(open(directory), { code: 'internal', message }, 'the lock was given back');
});

test('a database with damaged pages stops the start, naming the file', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await open(directory);
  await Promise.all(Array.from({ length: 200 }, (_, index) => store.createFunction(stored(`f${index}`))));
  await store.close();
  const file = join(directory, 'sluice.db');
  truncateSync(file, statSync(file).size - 3 * 4096);
  await assert.rejects(open(directory), { code: 'internal', message: /sluice\.db: the database is damaged \(.+\)/ });
});

test('a row that is not what was written stops the start, naming the file', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await open(directory);
  await store.createFunction(stored('hello'));
  await store.close();
  const database = new DatabaseSync(join(directory, 'sluice.db'));
  database.exec("UPDATE functions SET spec = '{'");
  database.close();
  await assert.rejects(open(directory), { code: 'internal', message: /sluice\.db: the database is damaged/ });
});

test('a database of a newer release stops the start, and is not changed', async (t) => {
  const directory = temporaryDirectory(t);
  await (await open(directory)).close();
  const database = new DatabaseSync(join(directory, 'sluice.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await assert.rejects(open(directory), {
    code: 'internal',
    message: /sluice\.db: expected .* version 1 or older, got version 99/,
  });
});

test('a path that cannot be a directory stops the start with its name', async (t) => {
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(open(join(file, 'data')), { message: /data directory: .*file/ });
});

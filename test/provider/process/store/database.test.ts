import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openDatabase } from '../../../../provider/process/store/database.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { temporaryDirectory } from './fixture.ts';

const first = 'CREATE TABLE words (word TEXT)';
const second = "ALTER TABLE words ADD COLUMN language TEXT; UPDATE words SET language = 'en'";

const versionOf = (file: string): unknown => {
  const database = new DatabaseSync(file);
  const row = database.prepare('PRAGMA user_version').get();
  database.close();
  return row?.user_version;
};

test('a new database gets the newest schema without a backup', (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'a.db');
  openDatabase(file, [first, second]).close();
  assert.equal(versionOf(file), 2);
  assert.deepEqual(readdirSync(directory), ['a.db']);
});

test('an older database is copied, then migrated forward with its rows', (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'a.db');
  const old = openDatabase(file, [first]);
  old.exec("INSERT INTO words VALUES ('house')");
  old.close();
  const database = openDatabase(file, [first, second]);
  assert.deepEqual({ ...database.prepare('SELECT * FROM words').get() }, { word: 'house', language: 'en' });
  database.close();

  const backup = `${file}.backup-v1`;
  assert.equal(versionOf(file), 2);
  assert.equal(versionOf(backup), 1);
  assert.equal(statSync(backup).mode & 0o777, 0o600);
  const copy = new DatabaseSync(backup);
  assert.deepEqual({ ...copy.prepare('SELECT * FROM words').get() }, { word: 'house' });
  copy.close();
  assert.deepEqual(readdirSync(directory).sort(), ['a.db', 'a.db.backup-v1']);
});

test('a database from before versions were counted is copied and migrated too', (t) => {
  const file = join(temporaryDirectory(t), 'a.db');
  const old = new DatabaseSync(file);
  old.exec("CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('house')");
  old.close();
  const database = openDatabase(file, [second]);
  assert.deepEqual({ ...database.prepare('SELECT * FROM words').get() }, { word: 'house', language: 'en' });
  database.close();
  assert.equal(versionOf(`${file}.backup-v0`), 0);
});

test('a migration that fails changes nothing and can be tried again', (t) => {
  const file = join(temporaryDirectory(t), 'a.db');
  const old = openDatabase(file, [first]);
  old.exec("INSERT INTO words VALUES ('house')");
  old.close();
  assert.throws(() => openDatabase(file, [first, second, 'CREATE nonsense']), {
    code: 'internal',
    message: /a\.db: .*cannot be opened/,
  });
  assert.equal(versionOf(file), 1);
  assert.ok(existsSync(`${file}.backup-v1`));
  const database = openDatabase(file, [first, second]);
  assert.deepEqual({ ...database.prepare('SELECT * FROM words').get() }, { word: 'house', language: 'en' });
  database.close();
});

test('commits are synced to the disk, through a write-ahead log', (t) => {
  const database = openDatabase(join(temporaryDirectory(t), 'a.db'), [first]);
  onEnd(t, () => database.close());
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  assert.equal(database.prepare('PRAGMA synchronous').get()?.synchronous, 2);
  assert.equal(database.prepare('PRAGMA foreign_keys').get()?.foreign_keys, 1);
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../../../provider/process/store/database.ts';
import { createExecute } from '../../../../provider/process/store/execute.ts';
import { migrations } from '../../../../provider/process/store/schema.ts';
import type { Write } from '../../../../provider/process/store/write-batch.ts';
import { writeBatch } from '../../../../provider/process/store/write-batch.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { ref, temporaryDirectory } from './fixture.ts';

const secret = (id: number, name: string, bytes: number): Write => ({
  kind: 'write',
  id,
  command: { kind: 'createSecret', row: { ref: ref(name), value: new Uint8Array(bytes) } },
});

test('when the disk is full the whole batch fails, nothing of it stays, and smaller writes go on', (t) => {
  const database = openDatabase(join(temporaryDirectory(t), 'a.db'), migrations);
  onEnd(t, () => database.close());
  const execute = createExecute(database, 'openfaas-fn');
  database.exec("INSERT INTO namespaces VALUES ('openfaas-fn', '{}', '{}')");
  database.exec('PRAGMA max_page_count = 40');

  const failed = writeBatch(database, execute, [secret(1, 'a', 10), secret(2, 'b', 1_000_000), secret(3, 'c', 10)]);
  assert.deepEqual(
    failed.map(({ id, error }) => [id, error?.code]),
    [1, 2, 3].map((id) => [id, 'internal']),
  );
  assert.match(failed[0]?.error?.message ?? '', /the database could not be written: .*full/);
  assert.equal(database.prepare('SELECT count(*) AS n FROM secrets').get()?.n, 0);
  assert.equal(database.isTransaction, false);

  assert.deepEqual(writeBatch(database, execute, [secret(4, 'a', 10)]), [{ id: 4, error: undefined }]);
});

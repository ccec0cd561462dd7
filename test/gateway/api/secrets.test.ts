import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../app-under-test.ts';

test('facts 113 and 114: making, replacing and removing a secret is 202, 409 when it exists, 404 when it does not', async (t) => {
  const app = await startApp(t);
  const statuses: number[] = [];
  for (const [method, body] of [
    ['PUT', { name: 's', value: 'a' }],
    ['POST', { name: 's', value: 'a' }],
    ['POST', { name: 's', value: 'a' }],
    ['PUT', { name: 's', value: 'b' }],
    ['DELETE', { name: 's' }],
    ['DELETE', { name: 's' }],
  ] as const) {
    statuses.push((await app.ask(method, '/system/secrets', body)).status);
  }
  assert.deepEqual(statuses, [404, 202, 409, 202, 202, 404]);
});

test('fact 115: rawValue reaches the provider byte for byte and wins over value', async (t) => {
  const seen: Buffer[] = [];
  const app = await startApp(t);
  const create = app.provider.secrets.create;
  t.mock.method(app.provider.secrets, 'create', async (secret: { name: string; namespace: string; value: Buffer }) => {
    seen.push(secret.value);
    await create(secret);
  });
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  await app.ask('POST', '/system/secrets', { name: 'raw', value: 'text', rawValue: bytes.toString('base64') });
  await app.ask('POST', '/system/secrets', { name: 'text', value: 'wörd\n', rawValue: '' });
  assert.deepEqual(seen, [bytes, Buffer.from('wörd\n')]);
});

test('fact 116: the list has names and namespaces and no value, and is [] when empty', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('GET', '/system/secrets')).text, '[]');
  await app.ask('POST', '/system/secrets', { name: 's', value: 'hidden' });
  const list = await app.ask('GET', '/system/secrets');
  assert.equal(list.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(list.text), [{ name: 's', namespace: 'openfaas-fn' }]);
});

test('a secret lives in the namespace of the body', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/namespace/', { name: 'other' });
  await app.ask('POST', '/system/secrets', { name: 's', namespace: 'other', value: 'a' });
  assert.equal((await app.ask('GET', '/system/secrets')).text, '[]');
  assert.deepEqual(JSON.parse((await app.ask('GET', '/system/secrets?namespace=other')).text), [
    { name: 's', namespace: 'other' },
  ]);
  assert.equal((await app.ask('POST', '/system/secrets', { name: 's', namespace: 'none', value: 'a' })).status, 400);
});

test('a bad secret is 400 or 413, names the field and never repeats the value', async (t) => {
  const app = await startApp(t);
  const named = await app.ask('POST', '/system/secrets', { name: 'Not Good', value: 'hidden' });
  assert.equal(named.status, 400);
  assert.match(named.text, /^name: expected /);
  const raw = await app.ask('POST', '/system/secrets', { name: 's', rawValue: 'swordfish!' });
  assert.equal(raw.status, 400);
  assert.match(raw.text, /^rawValue: expected base64/);
  assert.doesNotMatch(raw.text, /swordfish/);
  const large = await app.ask('POST', '/system/secrets', { name: 's', value: 'x'.repeat(1024 * 1024 + 1) });
  assert.equal(large.status, 413);
  const fits = await app.ask('POST', '/system/secrets', { name: 's', rawValue: Buffer.alloc(1024 * 1024).toString('base64') });
  assert.equal(fits.status, 202);
});

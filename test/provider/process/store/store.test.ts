import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { StoredFunction } from '../../../../provider/process/store/store.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { digest, open, openFor, ref, stored, temporaryDirectory } from './fixture.ts';

test('everything stored is there after closing and opening again', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await openFor(t, directory);
  await first.createNamespace({ name: 'staging', labels: { team: 'a' }, annotations: { note: 'ü' } });
  await first.createFunction(stored('hello', { envVars: { a: '1' }, labels: { x: 'y' } }));
  await first.createFunction(stored('other', { namespace: 'staging' }));
  await first.updateFunction(ref('hello'), { calledAtMs: 1_770_000_000_123, replicas: 4 });
  await first.createSecret({ name: 'api.key', namespace: 'staging', value: Buffer.from([0, 255, 1]) });
  await first.createSecret({ name: 'empty', namespace: 'openfaas-fn', value: Buffer.alloc(0) });
  const before = { functions: first.functions(), namespaces: first.namespaces() };
  await first.close();

  const second = await openFor(t, directory);
  assert.deepEqual(second.functions(), before.functions);
  assert.deepEqual(second.namespaces(), before.namespaces);
  assert.deepEqual(second.function(ref('hello')), {
    ...stored('hello', { envVars: { a: '1' }, labels: { x: 'y' } }),
    replicas: 4,
    calledAtMs: 1_770_000_000_123,
  });
  assert.deepEqual(second.secretValue({ name: 'api.key', namespace: 'staging' }), Buffer.from([0, 255, 1]));
  assert.deepEqual(second.secretValue({ name: 'empty', namespace: 'openfaas-fn' }), Buffer.alloc(0));
  assert.deepEqual(second.secretNames('staging'), [{ name: 'api.key', namespace: 'staging' }]);
  assert.deepEqual(second.recentImages(ref('other', 'staging')), [digest(1)]);
});

test('hundreds of rows of every kind come back, each with what belongs to it', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await openFor(t, directory);
  const names = Array.from({ length: 620 }, (_, at) => `f${at}`);
  await Promise.all(names.map((name) => first.createFunction(stored(name))));
  const moved = { ...stored('f7').spec, image: `f7:latest@sha256:${digest(2)}` };
  await first.updateFunction(ref('f7'), { spec: moved });
  await Promise.all(names.map((name) => first.createSecret({ ...ref(name), value: Buffer.from(name) })));
  await first.close();

  const second = await openFor(t, directory);
  assert.deepEqual(
    second.functions().map(({ spec }) => spec.service),
    names.toSorted(),
  );
  assert.deepEqual(
    second.secretNames('openfaas-fn').map(({ name }) => name),
    names.toSorted(),
  );
  assert.ok(names.every((name) => second.secretValue(ref(name))?.toString() === name));
  assert.deepEqual(second.recentImages(ref('f7')), [digest(2), digest(1)]);
  assert.ok(names.every((name) => name === 'f7' || second.recentImages(ref(name)).join() === digest(1)));
});

test('the default namespace exists from the start and cannot be removed', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  assert.deepEqual(store.namespaces(), [{ name: 'openfaas-fn', labels: {}, annotations: {} }]);
  await assert.rejects(store.removeNamespace('openfaas-fn'), { code: 'invalid', message: /openfaas-fn is the default one/ });
  assert.equal(store.namespaces().length, 1);
});

test('a write that cannot be done is refused and changes nothing', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  await store.createFunction(stored('hello'));
  await store.createSecret({ ...ref('key'), value: Buffer.from('1') });
  const namespace = { name: 'openfaas-fn', labels: { changed: 'yes' }, annotations: {} };
  const rows: [string, () => Promise<void>, string, RegExp][] = [
    [
      'create twice',
      () => store.createFunction({ ...stored('hello'), replicas: 9 }),
      'conflict',
      /function hello\.openfaas-fn already/,
    ],
    [
      'unknown namespace',
      () => store.createFunction(stored('a', { namespace: 'nope' })),
      'invalid',
      /existing namespace, got "nope"/,
    ],
    ['update unknown', () => store.updateFunction(ref('nope'), { replicas: 1 }), 'not-found', /nope\.openfaas-fn/],
    [
      'rename',
      () => store.updateFunction(ref('hello'), { spec: stored('other').spec }),
      'invalid',
      /expected hello\.openfaas-fn, got other/,
    ],
    ['scale unknown', () => store.setReplicas(ref('nope'), 3), 'not-found', /nope\.openfaas-fn/],
    ['remove unknown', () => store.removeFunction(ref('nope')), 'not-found', /nope\.openfaas-fn/],
    ['secret twice', () => store.createSecret({ ...ref('key'), value: Buffer.from('2') }), 'conflict', /secret key\.openfaas-fn/],
    ['secret nowhere', () => store.createSecret({ ...ref('k', 'nope'), value: Buffer.from('2') }), 'invalid', /"nope"/],
    ['secret unknown', () => store.updateSecret({ ...ref('nope'), value: Buffer.from('2') }), 'not-found', /secret nope/],
    ['remove secret unknown', () => store.removeSecret(ref('nope')), 'not-found', /secret nope/],
    ['namespace twice', () => store.createNamespace(namespace), 'conflict', /namespace openfaas-fn already/],
    ['namespace unknown', () => store.updateNamespace({ ...namespace, name: 'nope' }), 'not-found', /namespace nope/],
    ['remove namespace unknown', () => store.removeNamespace('nope'), 'not-found', /namespace nope/],
  ];
  for (const [title, write, code, message] of rows) await assert.rejects(write, { name: 'FaasError', code, message }, title);
  assert.deepEqual(store.functions(), [stored('hello')]);
  assert.deepEqual(store.secretValue(ref('key')), Buffer.from('1'));
  assert.deepEqual(store.namespaces(), [{ name: 'openfaas-fn', labels: {}, annotations: {} }]);
});

test('writes asked for at once share a commit, and a refused one does not take the others with it', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openFor(t, directory);
  const names = Array.from({ length: 300 }, (_, index) => `f${index % 200}`);
  const results = await Promise.allSettled(names.map((name) => store.createFunction(stored(name))));
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 200);
  assert.ok(results.slice(200).every((result) => result.status === 'rejected' && result.reason.code === 'conflict'));
  await store.close();
  const again = await openFor(t, directory);
  assert.equal(again.functions().length, 200);
});

test('reads show a change only once it is durable, but a number of replicas at once', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  const created = store.createFunction(stored('hello'));
  assert.equal(store.function(ref('hello')), undefined);
  await created;
  const updated = store.updateFunction(ref('hello'), { replicas: 7, calledAtMs: 5 });
  assert.equal(store.function(ref('hello'))?.replicas, 1);
  await updated;
  assert.deepEqual([store.function(ref('hello'))?.replicas, store.functions()[0]?.calledAtMs], [7, 5]);
  const scaled = [store.setReplicas(ref('hello'), 2), store.setReplicas(ref('hello'), 3)];
  assert.equal(store.function(ref('hello'))?.replicas, 3);
  assert.equal(store.functions()[0]?.replicas, 3);
  await scaled[0];
  assert.equal(store.function(ref('hello'))?.replicas, 3);
  await scaled[1];
  assert.equal(store.function(ref('hello'))?.replicas, 3);
});

test('a number of replicas that was never stored is taken back', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  await store.createFunction(stored('hello'));
  await store.close();
  const scaled = store.setReplicas(ref('hello'), 5);
  assert.equal(store.function(ref('hello'))?.replicas, 5);
  await assert.rejects(scaled, { code: 'unavailable' });
  assert.equal(store.function(ref('hello'))?.replicas, 1);
});

test('what a caller does with its objects afterwards does not reach the store', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  const envVars: Record<string, string> = { a: '1' };
  const value = Buffer.from('secret');
  const created = store.createFunction(stored('hello', { envVars }));
  const kept = store.createSecret({ ...ref('key'), value });
  envVars.a = '2';
  value.fill(0);
  await Promise.all([created, kept]);
  assert.equal(store.function(ref('hello'))?.spec.envVars?.a, '1');
  assert.equal(store.secretValue(ref('key'))?.toString(), 'secret');
});

test('a namespace goes with its functions and secrets, and others stay', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openFor(t, directory);
  await store.createNamespace({ name: 'gone', labels: {}, annotations: {} });
  await store.createFunction(stored('a', { namespace: 'gone' }));
  await store.createFunction(stored('a'));
  await store.createSecret({ ...ref('key', 'gone'), value: Buffer.from('1') });
  await store.createSecret({ ...ref('key'), value: Buffer.from('2') });
  await store.removeNamespace('gone');
  const check = (functions: readonly StoredFunction[]): void => assert.deepEqual(functions, [stored('a')]);
  check(store.functions());
  assert.equal(store.secretValue(ref('key', 'gone')), undefined);
  await store.close();
  const again = await openFor(t, directory);
  check(again.functions());
  assert.deepEqual(again.secretNames('gone'), []);
  assert.deepEqual(again.recentImages(ref('a', 'gone')), []);
  assert.deepEqual(again.secretValue(ref('key')), Buffer.from('2'));
});

test('the last ten bundles of a function are remembered, newest first, until it is removed', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openFor(t, directory);
  await store.createFunction(stored('hello'));
  const image = (seed: number): string => `hello:latest@sha256:${digest(seed)}`;
  for (const seed of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 5, 5]) {
    await store.updateFunction(ref('hello'), { spec: stored('hello', { image: image(seed) }).spec });
  }
  await store.updateFunction(ref('hello'), { replicas: 2 });
  await store.updateFunction(ref('hello'), { spec: stored('hello', { image: 'docker.io/hello:1' }).spec });
  const expected = [5, 12, 11, 10, 9, 8, 7, 6, 4, 3].map(digest);
  assert.deepEqual(store.recentImages(ref('hello')), expected);
  await store.close();
  const again = await openFor(t, directory);
  assert.deepEqual(again.recentImages(ref('hello')), expected);
  await again.removeFunction(ref('hello'));
  await again.createFunction(stored('hello'));
  assert.deepEqual(again.recentImages(ref('hello')), [digest(1)]);
});

test('the value of a removed secret is nowhere in the data directory', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openFor(t, directory);
  const value = 'a-value-that-is-easy-to-find';
  await store.createSecret({ ...ref('key'), value: Buffer.from(value) });
  await store.removeSecret(ref('key'));
  await store.close();
  for (const file of readdirSync(directory)) assert.equal(readFileSync(join(directory, file)).includes(value), false, file);
});

test('closing finishes the writes under way, and later ones are refused', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await open(directory);
  const writes = Array.from({ length: 50 }, (_, index) => store.createFunction(stored(`f${index}`)));
  await Promise.all([store.close(), store.close()]);
  await Promise.all(writes);
  await assert.rejects(store.removeFunction(ref('f1')), { code: 'unavailable' });
  const again = await openFor(t, directory);
  assert.equal(again.functions().length, 50);
});

test('the event loop runs on while a write waits for the disk', async (t) => {
  const directory = temporaryDirectory(t);
  const store = await openFor(t, directory);
  const other = new DatabaseSync(join(directory, 'sluice.db'));
  onEnd(t, () => other.close());
  other.exec('BEGIN IMMEDIATE');
  let isDone = false;
  const written = store.createFunction(stored('hello')).then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 5; turn += 1) await setTimeout(5);
  assert.equal(isDone, false);
  other.exec('COMMIT');
  await written;
  assert.ok(store.function(ref('hello')));
});

test('what follows a write happens before the next write shows, also where one commit holds both', async (t) => {
  const store = await openFor(t, temporaryDirectory(t));
  await store.createNamespace({ name: 'blue', labels: {}, annotations: {} });
  const seen: string[] = [];
  const see = (what: string) => (): void => {
    const there = store.function(ref('a', 'blue')) === undefined ? 'gone' : 'there';
    seen.push(`${what}: ${there}, ${store.namespaces().length} namespaces`);
  };
  await Promise.all([
    store.createFunction(stored('a', { namespace: 'blue' }), see('created')),
    store.updateFunction(ref('a', 'blue'), { replicas: 3 }, see('updated')),
    store.removeNamespace('blue', see('namespace removed')),
    store.createNamespace({ name: 'blue', labels: {}, annotations: {} }),
    store.createFunction(stored('a', { namespace: 'blue' }), see('created again')),
    store.removeFunction(ref('a', 'blue'), see('removed')),
  ]);
  assert.deepEqual(seen, [
    'created: there, 2 namespaces',
    'updated: there, 2 namespaces',
    'namespace removed: gone, 1 namespaces',
    'created again: there, 2 namespaces',
    'removed: gone, 2 namespaces',
  ]);
  await assert.rejects(store.removeFunction(ref('a', 'blue'), see('refused')), { code: 'not-found' });
  assert.equal(seen.length, 5);
});

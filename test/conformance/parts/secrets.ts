// Secrets go in and are never shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';
import { patienceMs } from '../watcher.ts';

const namespace = defaultNamespace;
const secret = (name: string, value: string) => ({ name, namespace, value: Buffer.from(value) });

export const secretConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: facts 113, 116: secrets are created, listed without values, updated and removed`, async (t) => {
    const { provider } = await setUp(t, make);
    assert.deepEqual(await provider.secrets.list(namespace), []);
    await provider.secrets.create(secret('a', '1'));
    await provider.secrets.create(secret('b.key', '2'));
    await rejects(provider.secrets.create(secret('a', '3')), 'conflict', 'a');
    const listed = await provider.secrets.list(namespace);
    assert.deepEqual(
      listed.map((each) => ({ ...each })).sort((a, b) => a.name.localeCompare(b.name)),
      [
        { name: 'a', namespace },
        { name: 'b.key', namespace },
      ],
    );
    await provider.secrets.update(secret('a', '4'));
    await rejects(provider.secrets.update(secret('c', '5')), 'not-found', 'c');
    await provider.secrets.remove({ name: 'a', namespace });
    await rejects(provider.secrets.remove({ name: 'a', namespace }), 'not-found', 'a');
    assert.deepEqual(
      (await provider.secrets.list(namespace)).map((each) => each.name),
      ['b.key'],
    );
  });

  test(`${name}: a namespace that does not exist has no secrets and takes none`, async (t) => {
    const { provider } = await setUp(t, make);
    await rejects(provider.secrets.list('nowhere'), 'invalid', 'nowhere');
    await rejects(provider.secrets.create({ ...secret('a', '1'), namespace: 'nowhere' }), 'invalid', 'nowhere');
  });

  test(`${name}: a changed secret reaches a function that is updated afterwards`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    await provider.secrets.create(secret('key', 'old'));
    const ref = await running('fn', 'secret', { secrets: ['key'] });
    assert.equal((await watcher.call(ref, { path: '/key' })).text, 'old');
    await provider.secrets.update(secret('key', 'new and longer'));
    await provider.update(await spec('fn', 'secret', { secrets: ['key'], annotations: { changed: 'yes' } }));
    await eventually(async () => (await watcher.call(ref, { path: '/key' })).text === 'new and longer', {
      what: 'the new value',
      timeoutMs: patienceMs,
    });
  });

  test(`${name}: a secret that an update adds is there when the new replica answers`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    await provider.secrets.create(secret('key', 'value'));
    const ref = await running('fn', 'secret');
    assert.equal((await watcher.call(ref, { path: '/key' })).status, 404);
    await provider.update(await spec('fn', 'secret', { secrets: ['key'] }));
    await eventually(async () => (await watcher.call(ref, { path: '/key' })).text === 'value', {
      what: 'the secret',
      timeoutMs: patienceMs,
    });
  });
};

// Namespaces keep functions and secrets apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Provider } from '../../../provider/provider.ts';
import { FaasError } from '../../../provider/types/errors.ts';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';

const dev = { name: 'dev', labels: {}, annotations: {} };

/** As somebody does who is told to come back later: a cluster may take more than a minute to remove what was in it. */
const createAgain = async (provider: Provider): Promise<void> => {
  const deadline = performance.now() + 150_000;
  for (;;) {
    try {
      return await provider.namespaces.create(dev);
    } catch (error) {
      const isForLater = error instanceof FaasError && error.retryAfterS !== undefined;
      if (!isForLater || performance.now() > deadline) throw error;
      await sleep(1000);
    }
  }
};

export const namespaceConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: fact 126: the default namespace is always there and cannot be removed`, async (t) => {
    const { provider } = await setUp(t, make);
    assert.deepEqual(await provider.namespaces.list(), [defaultNamespace]);
    assert.equal((await provider.namespaces.get(defaultNamespace)).name, defaultNamespace);
    await rejects(provider.namespaces.remove(defaultNamespace), 'invalid', defaultNamespace);
  });

  test(`${name}: namespaces are created, changed and removed`, async (t) => {
    const { provider } = await setUp(t, make);
    await provider.namespaces.create({ ...dev, labels: { openfaas: '1' }, annotations: { team: 'a' } });
    await rejects(provider.namespaces.create(dev), 'conflict', 'dev');
    assert.deepEqual([...(await provider.namespaces.list())].sort(), ['dev', defaultNamespace]);
    const created = await provider.namespaces.get('dev');
    assert.deepEqual([created.labels.openfaas, created.annotations.team], ['1', 'a']);
    await provider.namespaces.update({ ...dev, annotations: { team: 'b' } });
    assert.equal((await provider.namespaces.get('dev')).annotations.team, 'b');
    await provider.namespaces.remove('dev');
    await rejects(provider.namespaces.get('dev'), 'not-found', 'dev');
    await rejects(provider.namespaces.update(dev), 'not-found', 'dev');
    await rejects(provider.namespaces.remove('dev'), 'not-found', 'dev');
  });

  test(`${name}: functions and secrets of one name in two namespaces are strangers`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    await provider.namespaces.create(dev);
    for (const namespace of [defaultNamespace, 'dev']) {
      await provider.secrets.create({ name: 'key', namespace, value: Buffer.from(`of ${namespace}`) });
    }
    const here = await running('fn', 'secret', { secrets: ['key'] });
    const there = await running('fn', 'secret', { secrets: ['key'], namespace: 'dev' });
    assert.equal((await watcher.call(here, { path: '/key' })).text, `of ${defaultNamespace}`);
    assert.equal((await watcher.call(there, { path: '/key' })).text, 'of dev');
    assert.deepEqual(
      (await provider.list('dev')).map((status) => status.namespace),
      ['dev'],
    );
    await provider.remove(there);
    assert.equal((await watcher.call(here)).status, 404);
    assert.equal((await provider.list(defaultNamespace)).length, 1);
    assert.deepEqual(await provider.list('dev'), []);
  });

  test(`${name}: a secret of another namespace cannot be used`, async (t) => {
    const { provider, spec } = await setUp(t, make);
    await provider.namespaces.create(dev);
    await provider.secrets.create({ name: 'key', namespace: defaultNamespace, value: Buffer.from('x') });
    await rejects(provider.deploy(await spec('fn', 'secret', { namespace: 'dev', secrets: ['key'] })), 'invalid', 'key');
  });

  test(`${name}: a removed namespace takes its functions and secrets with it`, async (t) => {
    const { provider, running, watcher, hasten } = await setUp(t, make);
    await provider.namespaces.create(dev);
    await provider.secrets.create({ name: 'key', namespace: 'dev', value: Buffer.from('x') });
    const ref = await running('fn', 'echo', { namespace: 'dev' });
    const other = await running('fn', 'echo');
    await provider.namespaces.remove('dev');
    await watcher.until('the removal', () => watcher.events.at(-1)?.kind === 'removed');
    assert.equal(await provider.get(ref), undefined);
    await rejects(provider.list('dev'), 'invalid', 'dev');
    assert.equal((await watcher.call(other)).status, 200);
    await hasten?.('dev');
    await createAgain(provider);
    assert.deepEqual(await provider.list('dev'), []);
    assert.deepEqual(await provider.secrets.list('dev'), []);
  });
};

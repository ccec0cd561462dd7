// What was acknowledged is there after a restart. Only for providers that keep their state themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, setUp } from '../subject.ts';
import { createWatcher } from '../watcher.ts';

export const restartConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: functions, numbers of replicas, secrets and namespaces survive a restart`, async (t) => {
    const bench = await setUp(t, make);
    if (bench.reopen === undefined) return t.skip('this provider keeps nothing');
    const { provider, running } = bench;
    await provider.namespaces.create({ name: 'dev', labels: { a: 'b' }, annotations: {} });
    await provider.secrets.create({ name: 'key', namespace: 'dev', value: Buffer.from('kept') });
    const one = await running('one', 'secret', { namespace: 'dev', secrets: ['key'] });
    const two = await running('two', 'version1');
    const gone = await running('gone', 'echo');
    await provider.scale(two, 0);
    await provider.remove(gone);
    const before = await provider.get(one);

    const again = await bench.reopen();
    const watcher = createWatcher();
    again.watch(watcher.observer);
    await watcher.until('synced', () => watcher.events.some((event) => event.kind === 'synced'));
    assert.equal((await watcher.call(one, { path: '/key' })).text, 'kept');
    assert.equal((await again.get(one))?.createdAt, before?.createdAt);
    assert.equal((await again.namespaces.get('dev')).labels.a, 'b');
    assert.deepEqual(
      (await again.list(defaultNamespace)).map((status) => [status.name, status.replicas ?? 0]),
      [['two', 0]],
    );
    await again.scale(two, 1);
    assert.equal((await watcher.call(two)).text, 'version1');
    assert.deepEqual(watcher.violations, []);
  });
};

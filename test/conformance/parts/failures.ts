// Functions that cannot run, or stop running.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, readLogs, setUp } from '../subject.ts';
import { patienceMs } from '../watcher.ts';

const ref = { name: 'fn', namespace: defaultNamespace };

export const failureConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: a function that cannot be loaded is reported with the reason, and shown with it`, async (t) => {
    const { provider, spec, watcher } = await setUp(t, make);
    await provider.deploy(await spec('fn', 'crash'));
    const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
    assert.ok(['LoadFailed', 'CrashLoop'].includes(failure.reason), failure.reason);
    assert.match(failure.message, /boom at load/);
    assert.deepEqual(watcher.endpoints(ref), []);
    const status = await provider.get(ref);
    assert.deepEqual([status?.replicas, status?.availableReplicas ?? 0], [1, 0]);
    const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
    assert.equal(ready?.status, 'False');
    assert.match(ready?.message ?? '', /boom at load/);
  });

  test(`${name}: a failing function can be removed and its name used again`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    await provider.deploy(await spec('fn', 'crash'));
    await watcher.until('the failure', () => watcher.report(ref)?.failure);
    await provider.remove(ref);
    assert.equal(await provider.get(ref), undefined);
    await running('fn', 'version1');
    assert.equal((await watcher.call(ref)).text, 'version1');
    assert.equal(watcher.report(ref)?.failure, undefined);
  });

  test(`${name}: an update repairs a failing function`, async (t) => {
    const { provider, spec, watcher } = await setUp(t, make);
    await provider.deploy(await spec('fn', 'crash'));
    await watcher.until('the failure', () => watcher.report(ref)?.failure);
    await provider.update(await spec('fn', 'version2'));
    await watcher.untilReady(ref);
    assert.equal((await watcher.call(ref)).text, 'version2');
    assert.equal(watcher.report(ref)?.failure, undefined);
    const conditions = (await provider.get(ref))?.conditions ?? [];
    assert.deepEqual(
      conditions.map((condition) => condition.status),
      conditions.map(() => 'True'),
    );
  });

  test(`${name}: an update to a version that cannot be loaded leaves the old one answering and shows why`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    await running('fn', 'version1');
    await provider.update(await spec('fn', 'crash'));
    const deadline = performance.now() + patienceMs;
    let healthy = (await provider.get(ref))?.conditions?.find((condition) => condition.type === 'Healthy');
    while (healthy?.status !== 'False' && performance.now() < deadline) {
      assert.equal((await watcher.call(ref)).text, 'version1');
      healthy = (await provider.get(ref))?.conditions?.find((condition) => condition.type === 'Healthy');
    }
    assert.match(healthy?.message ?? '', /boom at load/);
    assert.equal(watcher.report(ref)?.failure, undefined);
    assert.equal((await watcher.call(ref)).text, 'version1');
    await provider.update(await spec('fn', 'version2'));
    await watcher.untilReady(ref);
    assert.equal((await watcher.call(ref)).text, 'version2');
  });

  test(`${name}: a replica that ends is gone at once and another takes its place`, async (t) => {
    const { running, watcher } = await setUp(t, make);
    await running('fn', 'exit');
    const before = watcher.endpoints(ref)[0];
    assert.equal((await watcher.call(ref, { method: 'POST' })).text, 'bye');
    await watcher.until('the endpoint gone', () => !watcher.endpoints(ref).some((endpoint) => endpoint.id === before?.id));
    const [after] = await watcher.untilReady(ref);
    assert.notEqual(after?.id, before?.id);
    assert.equal((await watcher.call(ref)).text, 'alive');
  });

  test(`${name}: what a failing function said last is in its log`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    await running('fn', 'exit');
    const [before] = watcher.endpoints(ref);
    await watcher.call(ref, { method: 'POST' });
    await watcher.until('the endpoint gone', () => !watcher.endpoints(ref).some((endpoint) => endpoint.id === before?.id));
    await watcher.untilReady(ref);
    const texts = (await readLogs(provider, ref)).map((message) => message.text);
    assert.ok(
      texts.some((text) => text.includes('leaving now')),
      texts.join('\n'),
    );
    assert.ok(
      texts.some((text) => /code 3|exit\(3\)/.test(text)),
      texts.join('\n'),
    );
  });

  test(`${name}: a failing function does not disturb another`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const other = await running('other', 'echo');
    await provider.deploy(await spec('fn', 'crash'));
    await watcher.until('the failure', () => watcher.report(ref)?.failure);
    assert.equal((await watcher.call(other)).status, 200);
    assert.equal(watcher.events.filter((event) => event.kind === 'gone').length, 0);
  });
};

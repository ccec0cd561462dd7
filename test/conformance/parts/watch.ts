// What observers are told, and in what order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, setUp } from '../subject.ts';
import { createWatcher } from '../watcher.ts';

export const watchConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: a new function is reported before its endpoint`, async (t) => {
    const { running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo', { labels: { a: 'b' }, annotations: { c: 'd' } });
    const kinds = watcher.events.map((event) => event.kind);
    assert.deepEqual(kinds.slice(0, 2), ['synced', 'changed']);
    assert.ok(kinds.indexOf('changed') < kinds.indexOf('ready'));
    const report = watcher.report(ref);
    assert.deepEqual(report?.ref, ref);
    assert.deepEqual([report?.labels.a, report?.labels.faas_function, report?.annotations.c], ['b', 'fn', 'd']);
    assert.deepEqual([report?.replicas, report?.failure], [1, undefined]);
    assert.equal(watcher.endpoints(ref)[0]?.revision, report?.revision);
    assert.notEqual(report?.revision, '');
  });

  test(`${name}: who watches late is told all there is, then that this was all`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const first = await running('first', 'echo');
    const second = await running('second', 'echo', { labels: { 'com.openfaas.scale.min': '2' } });
    const late = createWatcher();
    provider.watch(late.observer);
    await late.until('synced', () => late.events.at(-1)?.kind === 'synced');
    assert.deepEqual(late.endpoints(first), watcher.endpoints(first));
    const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
    assert.deepEqual(late.endpoints(second).sort(byId), watcher.endpoints(second).sort(byId));
    assert.deepEqual(late.report(second), watcher.report(second));
    assert.deepEqual(late.violations, []);
  });

  test(`${name}: every observer is told of every change`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const second = createWatcher();
    provider.watch(second.observer);
    const ref = await running('fn', 'echo');
    await second.untilReady(ref);
    await provider.remove(ref);
    for (const each of [watcher, second]) {
      await each.until('the removal', () => each.events.at(-1)?.kind === 'removed');
      assert.deepEqual(each.violations, []);
    }
  });

  test(`${name}: a removed function's endpoints go before it does`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo', { labels: { 'com.openfaas.scale.min': '3' } });
    await provider.remove(ref);
    await watcher.until('the removal', () => watcher.events.at(-1)?.kind === 'removed');
    assert.deepEqual(
      watcher.events.slice(-4).map((event) => event.kind),
      ['gone', 'gone', 'gone', 'removed'],
    );
  });

  test(`${name}: changed annotations and labels are reported`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo', { annotations: { a: '1' } });
    await provider.update(await spec('fn', 'echo', { annotations: { a: '2' }, labels: { b: '3' } }));
    await watcher.until('the new values', () => {
      const report = watcher.report(ref);
      return report?.annotations.a === '2' && report.labels.b === '3';
    });
    assert.equal((await provider.get({ name: 'fn', namespace: defaultNamespace }))?.annotations?.a, '2');
  });
};

// Any number of replicas, none included.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';

export const scaleConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: facts 90, 92: a function is scaled up, down, to zero and back`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    for (const replicas of [3, 1, 0, 2]) {
      await provider.scale(ref, replicas);
      assert.equal((await provider.get(ref))?.replicas ?? 0, replicas);
      await watcher.untilReady(ref, replicas);
      assert.equal(watcher.report(ref)?.replicas, replicas);
      assert.equal(watcher.report(ref)?.failure, undefined);
      if (replicas > 0) assert.equal((await watcher.call(ref)).status, 200);
    }
  });

  test(`${name}: fact 95: an unknown function cannot be scaled`, async (t) => {
    const { provider } = await setUp(t, make);
    await rejects(provider.scale({ name: 'fn', namespace: defaultNamespace }, 1), 'not-found', 'fn');
    await rejects(provider.scale({ name: 'fn', namespace: 'nowhere' }, 1), 'not-found', 'fn');
  });

  test(`${name}: a call that runs when its function is scaled to zero is answered`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'slow');
    const answer = watcher.call(ref, { path: '/?ms=400' });
    await provider.scale(ref, 0);
    await watcher.untilReady(ref, 0);
    assert.equal((await answer).text, 'done');
  });

  test(`${name}: a function that is woken while it goes to sleep ends up awake`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    await Promise.all([0, 1, 0, 1].map((replicas) => provider.scale(ref, replicas)));
    assert.equal((await provider.get(ref))?.replicas, 1);
    await watcher.untilReady(ref, 1);
    assert.equal((await watcher.call(ref)).status, 200);
  });

  test(`${name}: a function dozes with its replicas, and sleeps when nobody has woken it`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    const mark = await provider.doze(ref);
    await watcher.until('the doze is reported', () => watcher.report(ref)?.dozing === true);
    assert.equal(watcher.endpoints(ref).length, 1);
    assert.equal((await provider.get(ref))?.replicas, 1);
    assert.equal(await provider.sleep(ref, mark), true);
    await watcher.untilReady(ref, 0);
    const report = watcher.report(ref);
    assert.deepEqual([report?.replicas, report?.dozing ?? false], [0, false]);
    assert.equal(await provider.sleep(ref, mark), false, 'once is enough');
    await rejects(provider.doze({ name: 'none', namespace: defaultNamespace }), 'not-found', 'none');
    await rejects(provider.sleep({ name: 'none', namespace: defaultNamespace }, mark), 'not-found', 'none');
  });

  test(`${name}: scaling, an update and another doze each end a doze, and its sleep comes too late`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    const [before] = watcher.endpoints(ref);
    const first = await provider.doze(ref);
    await provider.scale(ref, 1);
    await watcher.until('it is awake', () => watcher.report(ref)?.dozing !== true);
    assert.equal(await provider.sleep(ref, first), false);
    assert.deepEqual(watcher.endpoints(ref), [before], 'the replica that was there goes on');
    const second = await provider.doze(ref);
    const third = await provider.doze(ref);
    assert.equal(await provider.sleep(ref, second), false);
    await provider.update(await spec('fn', 'echo', { labels: { changed: 'yes' } }));
    await watcher.until('it is awake', () => watcher.report(ref)?.dozing !== true);
    assert.equal(await provider.sleep(ref, third), false);
    assert.equal((await provider.get(ref))?.replicas, 1);
    await watcher.untilReady(ref, 1);
    assert.equal((await watcher.call(ref)).status, 200);
  });

  test(`${name}: a function removed while it starts leaves nothing`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    await provider.deploy(await spec('fn', 'echo', { labels: { 'com.openfaas.scale.min': '4' } }));
    await provider.remove({ name: 'fn', namespace: defaultNamespace });
    await running('later', 'echo');
    const events = watcher.events.filter((event) => 'key' in event && event.key === `fn.${defaultNamespace}`);
    assert.equal(events.at(-1)?.kind, 'removed');
    assert.deepEqual(
      (await provider.list(defaultNamespace)).map((status) => status.name),
      ['later'],
    );
  });
};

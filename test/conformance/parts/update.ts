// A function changes while it is called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace, type FunctionRef } from '../../../provider/types/name.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';
import type { Watcher } from '../watcher.ts';

/** Calls without pause, four at a time, until told to stop; resolves to the answers in order. A failed call rejects it. */
const hammer = (watcher: Watcher, ref: FunctionRef): { stop(): Promise<string[]> } => {
  const answers: string[] = [];
  let stopped = false;
  const caller = async (): Promise<void> => {
    while (!stopped) {
      const answer = await watcher.call(ref, { method: 'POST', body: 'x'.repeat(1000) });
      assert.equal(answer.status, 200);
      answers.push(answer.text);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const callers = Promise.all(Array.from({ length: 4 }, caller));
  callers.catch(() => {
    stopped = true;
  });
  return {
    async stop() {
      stopped = true;
      await callers;
      return answers;
    },
  };
};

/** The smallest number of endpoints that the function had since it had its first. */
const fewestEndpoints = (watcher: Watcher): number => {
  let now = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (const event of watcher.events) {
    if (event.kind === 'ready') now += 1;
    if (event.kind === 'gone') now -= 1;
    if (event.kind === 'gone') fewest = Math.min(fewest, now);
  }
  return fewest;
};

export const updateConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: fact 67: an update of an unknown function finds none and makes none`, async (t) => {
    const { provider, spec } = await setUp(t, make);
    await rejects(provider.update(await spec('fn', 'echo')), 'not-found', 'fn');
    assert.equal(await provider.get({ name: 'fn', namespace: defaultNamespace }), undefined);
  });

  test(`${name}: an update that cannot run is refused and leaves the function as it was`, async (t) => {
    const { provider, running, spec, unknownImage, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    const before = await provider.get(ref);
    await rejects(provider.update(await spec('fn', 'version2', { secrets: ['not-there'] })), 'invalid', 'not-there');
    await rejects(provider.update(await spec('fn', 'version2', { image: unknownImage })), 'invalid', 'image');
    assert.deepEqual(await provider.get(ref), before);
    assert.equal((await watcher.call(ref)).text, 'version1');
  });

  test(`${name}: fact 68: an update is rolled out without a failed call, and at any time an endpoint is ready`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    const old = watcher.endpoints(ref)[0];
    const load = hammer(watcher, ref);
    await provider.update(await spec('fn', 'version2'));
    await watcher.until('the old endpoint gone', () => !watcher.endpoints(ref).some((endpoint) => endpoint.id === old?.id));
    await watcher.untilReady(ref);
    const answers = await load.stop();
    assert.ok(fewestEndpoints(watcher) >= 1, 'there was a moment without an endpoint');
    assert.equal((await watcher.call(ref)).text, 'version2');
    assert.ok(answers.includes('version1'));
    assert.notEqual(watcher.endpoints(ref)[0]?.revision, old?.revision);
  });

  test(`${name}: an update of a function with several replicas keeps an endpoint ready`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const labels = { 'com.openfaas.scale.min': '3' };
    const ref = await running('fn', 'version1', { labels });
    const load = hammer(watcher, ref);
    await provider.update(await spec('fn', 'version2', { labels }));
    await watcher.untilReady(ref, 3);
    await load.stop();
    assert.ok(fewestEndpoints(watcher) >= 1);
    assert.equal((await watcher.call(ref)).text, 'version2');
  });

  test(`${name}: of updates that overtake each other the last one wins`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    const load = hammer(watcher, ref);
    for (const kind of ['version2', 'version1', 'version2', 'version1', 'version2'] as const) {
      await provider.update(await spec('fn', kind));
    }
    await watcher.untilReady(ref);
    await load.stop();
    assert.equal((await watcher.call(ref)).text, 'version2');
  });

  test(`${name}: a call that runs when its function is updated is answered`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'slow');
    const answer = watcher.call(ref, { path: '/?ms=500' });
    await provider.update(await spec('fn', 'version2'));
    assert.equal((await answer).text, 'done');
    await watcher.untilReady(ref);
  });

  test(`${name}: an update changes what is shown and keeps the time of creation`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'env', { envVars: { a: '1' }, labels: { l: '1' } });
    const before = await provider.get(ref);
    await provider.update(await spec('fn', 'env', { envVars: { b: '2' } }));
    const after = await provider.get(ref);
    assert.equal(after?.createdAt, before?.createdAt);
    assert.deepEqual([after?.envVars, after?.labels?.l], [{ b: '2' }, undefined]);
    await watcher.untilReady(ref);
    const environment = JSON.parse((await watcher.call(ref)).text);
    assert.deepEqual([environment.a, environment.b], [undefined, '2']);
  });

  test(`${name}: fact 69: an update without a minimum keeps the replicas, with one it sets them`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    await provider.scale(ref, 3);
    await watcher.untilReady(ref, 3);
    await provider.update(await spec('fn', 'version2'));
    assert.equal((await provider.get(ref))?.replicas, 3);
    await watcher.untilReady(ref, 3);
    await provider.update(await spec('fn', 'version2', { labels: { 'com.openfaas.scale.min': '2' } }));
    assert.equal((await provider.get(ref))?.replicas, 2);
    await watcher.untilReady(ref, 2);
  });

  test(`${name}: a function at zero that is updated stays at zero and starts as the new version`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    await provider.scale(ref, 0);
    await watcher.untilReady(ref, 0);
    await provider.update(await spec('fn', 'version2'));
    assert.equal((await provider.get(ref))?.replicas ?? 0, 0);
    await provider.scale(ref, 1);
    assert.equal((await watcher.call(ref)).text, 'version2');
  });
};

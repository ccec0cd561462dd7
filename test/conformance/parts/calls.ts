// What a function gets to see when it is called.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';
import { type MakeSubject, setUp } from '../subject.ts';
import { createWatcher, patienceMs } from '../watcher.ts';

export const callConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: an endpoint answers the moment it is reported`, async (t) => {
    const { provider, spec } = await setUp(t, make);
    const watcher = createWatcher();
    const first = Promise.withResolvers<string>();
    provider.watch({
      ...watcher.observer,
      endpointReady(ref, endpoint) {
        watcher.observer.endpointReady(ref, endpoint);
        const answer = watcher.call(ref, { method: 'POST', path: '/a/b?x=1&y=%20', body: 'hello' });
        answer.then(({ text }) => first.resolve(text), first.reject);
      },
    });
    await provider.deploy(await spec('fn', 'echo'));
    const seen = JSON.parse(await within(first.promise, 'an answer', patienceMs));
    assert.deepEqual(seen, { method: 'POST', url: '/a/b?x=1&y=%20', body: 'hello' });
  });

  test(`${name}: a function sees its own environment and nothing of the provider's`, async (t) => {
    process.env.SLUICE_CONFORMANCE_LEAK = 'leaked';
    onEnd(t, () => delete process.env.SLUICE_CONFORMANCE_LEAK);
    const { running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'env', { envVars: { custom_env: 'a b=c', OVERRIDDEN: 'deployment', EMPTY: '' } });
    const environment = JSON.parse((await watcher.call(ref)).text);
    assert.equal(environment.custom_env, 'a b=c');
    assert.equal(environment.EMPTY, '');
    assert.equal(environment.FROM_BUNDLE, 'bundle');
    assert.equal(environment.OVERRIDDEN, 'deployment');
    assert.equal(JSON.stringify(environment).includes('leaked'), false);
    assert.equal(Object.keys(environment).includes('SLUICE_TOKEN'), false);
  });

  test(`${name}: fact 118: a function reads its secrets byte for byte, and no other`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const bytes = Buffer.from([0, 10, 13, 200, 255, 32]);
    const namespace = 'openfaas-fn';
    await provider.secrets.create({ name: 'mine.key', namespace, value: bytes });
    await provider.secrets.create({ name: 'other', namespace, value: Buffer.from('x') });
    const ref = await running('fn', 'secret', { secrets: ['mine.key'] });
    assert.deepEqual((await watcher.call(ref, { path: '/mine.key' })).body, bytes);
    assert.equal((await watcher.call(ref, { path: '/other' })).status, 404);
  });

  test(`${name}: a replica answers many calls at once`, async (t) => {
    const { running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'slow');
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => watcher.call(ref, { path: '/?ms=500' })));
    assert.deepEqual(new Set(answers.map((answer) => answer.text)), new Set(['done']));
    assert.ok(performance.now() - started < 9000, 'they ran one after another');
  });
};

// Functions come, are shown and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { type MakeSubject, rejects, setUp } from '../subject.ts';

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export const deployConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: facts 74, 83: a provider without functions lists none and finds none`, async (t) => {
    const { provider } = await setUp(t, make);
    assert.deepEqual(await provider.list(defaultNamespace), []);
    assert.equal(await provider.get({ name: 'fn', namespace: defaultNamespace }), undefined);
  });

  test(`${name}: facts 76, 77, 78, 79: a deployed function is shown at once, exactly as it was submitted`, async (t) => {
    const { provider, spec } = await setUp(t, make);
    const plain = await spec('plain', 'echo');
    await provider.deploy(plain);
    const status = await provider.get({ name: 'plain', namespace: defaultNamespace });
    assert.ok(status !== undefined);
    assert.deepEqual([status.name, status.namespace, status.image, status.replicas], ['plain', defaultNamespace, plain.image, 1]);
    assert.match(status.createdAt, rfc3339);
    assert.equal(status.labels?.faas_function, 'plain');
    assert.deepEqual(
      [status.envVars, status.limits, status.requests, status.constraints, status.secrets, status.envProcess],
      [undefined, undefined, undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(
      (await provider.list(defaultNamespace)).map((each) => each.name),
      ['plain'],
    );
  });

  test(`${name}: facts 80, 81, 82: labels, annotations, limits and the rest are echoed, secrets sorted`, async (t) => {
    const { provider, spec, watcher } = await setUp(t, make);
    for (const secret of ['b-secret', 'a-secret']) {
      await provider.secrets.create({ name: secret, namespace: defaultNamespace, value: Buffer.from('x') });
    }
    const full = await spec('full', 'echo', {
      envVars: { custom_env: 'a b', EMPTY: '' },
      secrets: ['b-secret', 'a-secret'],
      labels: { upstream_uri: 'example.com', canary_build: 'true' },
      annotations: { date: 'Wed Jul 25 21:30:00 UTC 2018', json: '{\n  "a": [1, 2]\n}' },
      limits: { memory: '256Mi', cpu: '500m' },
      requests: { memory: '5Mi', cpu: '100m' },
      readOnlyRootFilesystem: false,
    });
    await provider.deploy(full);
    const status = await provider.get({ name: 'full', namespace: defaultNamespace });
    assert.deepEqual(status?.envVars, full.envVars);
    assert.deepEqual(status?.secrets, ['a-secret', 'b-secret']);
    assert.deepEqual(status?.labels, { ...full.labels, faas_function: 'full' });
    for (const [key, value] of Object.entries(full.annotations ?? {})) assert.equal(status?.annotations?.[key], value);
    assert.deepEqual([status?.limits?.memory, status?.limits?.cpu], ['256Mi', '500m']);
    assert.deepEqual([status?.requests?.memory, status?.requests?.cpu], ['5Mi', '100m']);
    await watcher.untilReady({ name: 'full', namespace: defaultNamespace });
  });

  test(`${name}: a function's replicas are counted as available once they answer`, async (t) => {
    const { provider, running } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    const status = await provider.get(ref);
    assert.deepEqual([status?.replicas, status?.availableReplicas], [1, 1]);
    for (const condition of status?.conditions ?? []) {
      assert.equal(condition.status, 'True', `${condition.type}: ${condition.message}`);
      assert.match(condition.lastTransitionTime, rfc3339);
      assert.match(condition.reason, /^[A-Z][A-Za-z]+$/);
    }
  });

  test(`${name}: fact 84: usage is in the status when asked for`, async (t) => {
    const { provider, running } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    const status = await provider.get(ref, { usage: true });
    assert.ok(status?.usage !== undefined);
    assert.ok(status.usage.cpu >= 0 && status.usage.totalMemoryBytes >= 0);
  });

  test(`${name}: fact 66: a second deployment of a name is a conflict and changes nothing`, async (t) => {
    const { provider, running, spec, watcher } = await setUp(t, make);
    const ref = await running('fn', 'version1');
    await rejects(provider.deploy(await spec('fn', 'version2')), 'conflict', 'fn');
    assert.equal((await watcher.call(ref)).text, 'version1');
    assert.equal((await provider.list(defaultNamespace)).length, 1);
  });

  test(`${name}: fact 66: of two deployments of a name at once exactly one succeeds`, async (t) => {
    const { provider, spec, watcher } = await setUp(t, make);
    const outcomes = await Promise.allSettled([
      provider.deploy(await spec('fn', 'version1')),
      provider.deploy(await spec('fn', 'version2')),
    ]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ['fulfilled', 'rejected']);
    const winner = outcomes[0]?.status === 'fulfilled' ? 'version1' : 'version2';
    assert.equal((await watcher.call({ name: 'fn', namespace: defaultNamespace })).text, winner);
  });

  test(`${name}: fact 65: a deployment that cannot run is refused by name and leaves nothing`, async (t) => {
    const { provider, spec, unknownImage, watcher } = await setUp(t, make);
    const secretless = await spec('fn', 'echo', { secrets: ['not-there', 'neither'] });
    await rejects(provider.deploy(secretless), 'invalid', 'not-there', 'neither');
    await rejects(provider.deploy(await spec('fn', 'echo', { namespace: 'nowhere' })), 'invalid', 'nowhere');
    await rejects(provider.deploy(await spec('fn', 'echo', { image: unknownImage })), 'invalid', 'image');
    assert.deepEqual(await provider.list(defaultNamespace), []);
    assert.equal(await provider.get({ name: 'fn', namespace: 'nowhere' }), undefined);
    assert.deepEqual(
      watcher.events.filter((event) => event.kind !== 'synced'),
      [],
    );
  });

  test(`${name}: fact 86: the functions of an unknown namespace cannot be listed`, async (t) => {
    const { provider } = await setUp(t, make);
    await rejects(provider.list('nowhere'), 'invalid', 'nowhere');
  });

  test(`${name}: fact 70: a removed function is gone from lists and gets no calls`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo');
    await running('other', 'echo');
    await provider.remove(ref);
    assert.equal(await provider.get(ref), undefined);
    assert.deepEqual(
      (await provider.list(defaultNamespace)).map((each) => each.name),
      ['other'],
    );
    assert.deepEqual(watcher.endpoints(ref), []);
    await watcher.until('the report of the removal', () => watcher.events.some((event) => event.kind === 'removed'));
    await rejects(provider.remove(ref), 'not-found', 'fn');
  });

  test(`${name}: a call that runs when its function is removed is answered`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'slow');
    const answer = watcher.call(ref, { path: '/?ms=300' });
    await provider.remove(ref);
    assert.equal((await answer).text, 'done');
  });

  test(`${name}: the name of a removed function is free again`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    await provider.remove(await running('fn', 'version1'));
    const ref = await running('fn', 'version2');
    assert.equal((await watcher.call(ref)).text, 'version2');
  });

  test(`${name}: fact 96: a function with a minimum label has so many replicas at once`, async (t) => {
    const { provider, running, watcher } = await setUp(t, make);
    const ref = await running('fn', 'echo', { labels: { 'com.openfaas.scale.min': '2' } });
    assert.equal((await provider.get(ref))?.replicas, 2);
    assert.equal(new Set(watcher.endpoints(ref).map((endpoint) => JSON.stringify(endpoint.address))).size, 2);
  });

  test(`${name}: fact 129: a provider says what it is`, async (t) => {
    const { provider } = await setUp(t, make);
    const info = await provider.info();
    for (const text of [info.provider, info.orchestration, info.version.release, info.version.sha]) assert.notEqual(text, '');
    assert.equal(provider.healthy(), true);
  });
};

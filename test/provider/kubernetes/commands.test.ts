// Deploy, update, scale and remove against an API server: what is written, what is taken back, and what others wrote stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment } from '../../../provider/kubernetes/objects.ts';
import type { FunctionSpec } from '../../../provider/types/function.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collections, namespace, type Rig, startRig } from './rig.ts';

const ref = { name: 'fn', namespace };
const spec = (more: Partial<FunctionSpec> = {}): FunctionSpec => ({ service: 'fn', namespace, image: 'fn:1', ...more });
const lines = ({ api }: Rig): string[] => api.writes.map(({ line }) => line);

/** What somebody else makes of the Deployment. */
const edit = ({ api, deployment }: Rig, change: (before: Deployment) => Deployment): void => {
  api.put(change(deployment('fn') as Deployment), collections.deployments);
};

const scaledBy =
  (replicas: number) =>
  (before: Deployment): Deployment => ({ ...before, spec: { ...before.spec, replicas } });

const withSidecar = (before: Deployment): Deployment => {
  const { template } = before.spec;
  const containers = [...template.spec.containers, { name: 'proxy', image: 'proxy:1' }];
  return { ...before, spec: { ...before.spec, template: { ...template, spec: { ...template.spec, containers } } } };
};

test('a deployment is two objects, and is shown before any watch has told of it', async (t) => {
  const rig = await startRig(t);
  rig.forget();
  await rig.provider.deploy(spec());
  assert.deepEqual(lines(rig), [`POST ${collections.deployments}`, `POST ${collections.services}`]);
  assert.equal((await rig.provider.get(ref))?.name, 'fn');
  await assert.rejects(rig.provider.deploy(spec()), { code: 'conflict' });
});

test('a deployment whose Service belongs to somebody else is taken back', async (t) => {
  const rig = await startRig(t);
  rig.api.put({ metadata: { name: 'fn' }, spec: { selector: { app: 'database' } } } as never, collections.services);
  await assert.rejects(rig.provider.deploy(spec()), { code: 'conflict', message: /a service "fn" that is no function's/ });
  assert.equal(rig.deployment('fn'), undefined);
  assert.deepEqual(rig.service('fn')?.spec.selector, { app: 'database' });
  assert.equal(await rig.provider.get(ref), undefined);
});

test('a deployment whose Service is refused is taken back, and the refusal reaches the caller', async (t) => {
  const rig = await startRig(t);
  const body = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'exceeded quota: few, requested: services=1' };
  rig.api.answer(`POST ${collections.services}`, 403, body);
  await assert.rejects(rig.provider.deploy(spec()), { status: 403, message: /service of function "fn".*exceeded quota: few/ });
  assert.equal(rig.deployment('fn'), undefined);
});

test('an update that was overtaken is made again on what the other has written, and keeps it', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  rig.forget();
  rig.api.before(`PUT ${collections.deployments}/fn`, () => edit(rig, scaledBy(7)));
  rig.api.before(`PUT ${collections.deployments}/fn`, () => edit(rig, withSidecar));
  await rig.provider.update(spec({ image: 'fn:2' }));
  const { replicas, template } = (rig.deployment('fn') as Deployment).spec;
  assert.equal(replicas, 7);
  assert.deepEqual(
    template.spec.containers.map(({ image }) => image),
    ['fn:2', 'proxy:1'],
  );
  assert.equal(lines(rig).filter((line) => line === `PUT ${collections.deployments}/fn`).length, 3);
});

test('an update that is overtaken again and again is a conflict, and changes nothing', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  const body = { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' };
  rig.api.answer(`PUT ${collections.deployments}/fn`, 409, body);
  await assert.rejects(rig.provider.update(spec({ image: 'fn:2' })), { code: 'conflict', message: /has been modified/ });
  assert.equal(rig.deployment('fn')?.spec.template.spec.containers[0]?.image, 'fn:1');
});

test('a Service that somebody else changes meanwhile is written again, too', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  rig.api.before(`PUT ${collections.services}/fn`, () => {
    const before = rig.service('fn');
    rig.api.put({ ...before, spec: { ...before?.spec, externalTrafficPolicy: 'Local' } } as never, collections.services);
  });
  await rig.provider.update(spec({ annotations: { note: 'new' } }));
  assert.equal(rig.service('fn')?.metadata.annotations?.note, 'new');
  assert.equal((rig.service('fn')!.spec as { externalTrafficPolicy?: string }).externalTrafficPolicy, 'Local');
});

test('scaling writes the number, ends the first step to zero, and nothing else', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  edit(rig, withSidecar);
  rig.forget();
  await rig.provider.scale(ref, 4);
  assert.deepEqual(rig.api.writes, [
    {
      line: `PATCH ${collections.deployments}/fn`,
      body: { metadata: { annotations: { 'sluice.dev/dozing': null } }, spec: { replicas: 4 } },
      type: 'application/merge-patch+json',
    },
  ]);
  assert.equal(rig.deployment('fn')?.spec.template.spec.containers.length, 2);
});

test('fact 107: an order to scale is given again while the API server is out of breath, and a refused one is not', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  const patch = `PATCH ${collections.deployments}/fn`;
  const orders = (): number => lines(rig).filter((line) => line === patch).length;
  rig.forget();
  rig.api.answer(patch, 503, { kind: 'Status', code: 503, reason: 'ServiceUnavailable', message: 'starting' }, 2);
  rig.api.answer(patch, 429, { kind: 'Status', code: 429, reason: 'TooManyRequests', message: 'later' }, 1);
  await rig.provider.scale(ref, 3);
  assert.deepEqual([orders(), rig.deployment('fn')?.spec.replicas], [4, 3]);
  rig.forget();
  rig.api.answer(patch, 403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no right' });
  await assert.rejects(rig.provider.scale(ref, 4), { code: 'forbidden' });
  assert.equal(orders(), 1);
});

test('an order to scale outlives a restart of the API server', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  await rig.api.stop();
  const scaled = rig.provider.scale(ref, 3);
  await rig.api.start();
  await scaled;
  assert.equal(rig.deployment('fn')?.spec.replicas, 3);
});

test('what an autoscaler and kubectl write is reported and not undone', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec({ labels: { 'com.openfaas.scale.min': '1', 'com.openfaas.scale.max': '2' } }));
  const revision = rig.reports.get('fn')?.revision;
  rig.forget();
  edit(rig, scaledBy(9));
  await eventually(() => rig.reports.get('fn')?.replicas === 9, { what: 'the replicas of the autoscaler' });
  edit(rig, scaledBy(0));
  edit(rig, withSidecar);
  await eventually(() => rig.reports.get('fn')?.revision !== revision, { what: 'the new template' });
  assert.deepEqual([rig.reports.get('fn')?.replicas, (await rig.provider.get(ref))?.replicas], [0, 0]);
  assert.deepEqual(lines(rig), [], 'nothing was written');
});

test('a function that another gateway deploys, and one that it removes, are seen', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  const other = {
    ...(rig.deployment('fn') as Deployment),
    metadata: { name: 'other', namespace, labels: { faas_function: 'other' } },
  };
  rig.api.put(other, collections.deployments);
  await eventually(() => rig.reports.has('other'), { what: 'the function of the other gateway' });
  rig.api.remove('fn', collections.deployments);
  await eventually(() => !rig.reports.has('fn'), { what: 'its removal' });
  assert.deepEqual(
    (await rig.provider.list(namespace)).map(({ name }) => name),
    ['other'],
  );
});

test('a removal takes the Deployment that was meant and a Service that serves it', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  const uids = [rig.service('fn')?.metadata.uid, rig.deployment('fn')?.metadata.uid];
  rig.forget();
  await rig.provider.remove(ref);
  assert.deepEqual(
    rig.api.writes.map(({ body }) => body),
    [{ preconditions: { uid: uids[0] } }, { propagationPolicy: 'Background', preconditions: { uid: uids[1] } }],
  );
  assert.deepEqual([rig.deployment('fn'), rig.service('fn'), await rig.provider.get(ref)], [undefined, undefined, undefined]);
  await assert.rejects(rig.provider.remove(ref), { code: 'not-found' });
});

test('a removal that is refused leaves the function as it was, and a Service of somebody else stays in any case', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec({ annotations: { note: 'x' } }));
  const { spec: before, metadata } = rig.service('fn') ?? assert.fail('there is no service');
  const body = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'cannot delete resource "deployments"' };
  rig.api.answer(`DELETE ${collections.deployments}/fn`, 403, body, 1);
  await assert.rejects(rig.provider.remove(ref), { code: 'forbidden', message: /cannot delete resource "deployments"/ });
  assert.deepEqual([rig.service('fn')?.spec, rig.service('fn')?.metadata.annotations], [before, metadata.annotations]);
  assert.equal((await rig.provider.get(ref))?.name, 'fn');
  const theirs = { metadata: { name: 'fn', namespace }, spec: { selector: { app: 'database' } } };
  rig.api.put(theirs as never, collections.services);
  await rig.provider.remove(ref);
  assert.deepEqual(rig.service('fn')?.spec.selector, { app: 'database' });
  assert.equal(rig.deployment('fn'), undefined);
});

test('profiles are read from the namespace of the platform, and one that is not there is named', async (t) => {
  const profile = {
    metadata: { name: 'gpu', namespace: 'openfaas' },
    spec: { tolerations: [{ key: 'gpu', operator: 'Exists' }] },
  };
  const rig = await startRig(t, { prepare: (api) => void api.put(profile, collections.profiles) });
  await rig.provider.deploy(spec({ annotations: { 'com.openfaas.profile': 'gpu' } }));
  assert.deepEqual(rig.deployment('fn')?.spec.template.spec.tolerations, profile.spec.tolerations);
  const update = rig.provider.update(spec({ annotations: { 'com.openfaas.profile': 'gpu, tpu' } }));
  await assert.rejects(update, { code: 'invalid', message: /com\.openfaas\.profile.*"tpu"/ });
});

test('a function whose namespace is not open to functions is refused, and shown as soon as it is', async (t) => {
  const rig = await startRig(t, { prepare: (api) => void api.put({ metadata: { name: 'closed' } }, collections.namespaces) });
  await assert.rejects(rig.provider.deploy(spec({ namespace: 'closed' })), { code: 'invalid', message: /annotation openfaas/ });
  rig.api.put({ metadata: { name: 'closed', annotations: { openfaas: '1' } } }, collections.namespaces);
  await eventually(async () => (await rig.provider.namespaces.list()).includes('closed'), { what: 'the opened namespace' });
  await rig.provider.deploy(spec({ namespace: 'closed' }));
  assert.equal(rig.reports.get('fn')?.ref.namespace, 'closed');
  rig.api.put({ metadata: { name: 'closed' } }, collections.namespaces);
  rig.api.remove('closed', collections.namespaces);
  await eventually(() => !rig.reports.has('fn'), { what: 'the end of the namespace' });
});

test('while the API server is away the view grows stale and stays, and deploys say that nobody answers', async (t) => {
  const rig = await startRig(t);
  await rig.provider.deploy(spec());
  await eventually(() => rig.provider.staleMs?.() === 0, { what: 'watches' });
  await rig.api.stop();
  await eventually(() => (rig.provider.staleMs?.() ?? 0) > 0, { what: 'staleness' });
  assert.deepEqual([(await rig.provider.get(ref))?.name, rig.provider.healthy()], ['fn', true]);
  await assert.rejects(rig.provider.scale(ref, 2), { code: 'unavailable', message: /API server could not be asked/ });
  await rig.api.start();
  await eventually(() => rig.provider.staleMs?.() === 0, { what: 'a true view' });
});

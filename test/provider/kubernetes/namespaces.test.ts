// Namespaces of functions against an API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace } from '../../../provider/kubernetes/objects.ts';
import { collections, namespace, type Rig, startRig } from './rig.ts';

const stored = ({ api }: Rig, name: string): Namespace | undefined => api.find<Namespace>(`${collections.namespaces}/${name}`);

test('a namespace that is made is open to functions at once, and gone for them when it is removed', async (t) => {
  const { provider, ...rig } = await startRig(t);
  await provider.namespaces.create({ name: 'dev', labels: { team: 'a' }, annotations: { note: 'x' } });
  assert.deepEqual(stored({ provider, ...rig }, 'dev')?.metadata.annotations, { openfaas: '1', note: 'x' });
  assert.deepEqual(await provider.namespaces.list(), ['dev', namespace]);
  await assert.rejects(provider.namespaces.create({ name: 'dev', labels: {}, annotations: {} }), { code: 'conflict' });
  await provider.namespaces.remove('dev');
  assert.deepEqual(await provider.namespaces.list(), [namespace]);
  await assert.rejects(provider.namespaces.remove('dev'), { code: 'not-found' });
});

test("an update replaces labels and annotations but Kubernetes' own and the mark", async (t) => {
  const labels = { 'kubernetes.io/metadata.name': 'dev', old: 'label' };
  const dev = { metadata: { name: 'dev', labels, annotations: { openfaas: 'yes', old: 'note' } } };
  const rig = await startRig(t, { prepare: (api) => void api.put(dev, collections.namespaces) });
  await rig.provider.namespaces.update({ name: 'dev', labels: { team: 'b' }, annotations: {} });
  const { metadata } = stored(rig, 'dev') ?? assert.fail('it is gone');
  assert.deepEqual(metadata.labels, { 'kubernetes.io/metadata.name': 'dev', team: 'b' });
  assert.deepEqual(metadata.annotations, { openfaas: 'yes' });
});

test('the default namespace stays, and namespaces of others are none of ours', async (t) => {
  const theirs = { metadata: { name: 'theirs' } };
  const rig = await startRig(t, { prepare: (api) => void api.put(theirs, collections.namespaces) });
  const { namespaces } = rig.provider;
  await assert.rejects(namespaces.remove(namespace), { code: 'invalid' });
  await assert.rejects(namespaces.remove('theirs'), { code: 'not-found', message: /no annotation openfaas/ });
  await assert.rejects(namespaces.update({ name: 'theirs', labels: {}, annotations: {} }), { code: 'not-found' });
  await assert.rejects(namespaces.create({ name: 'kube-dev', labels: {}, annotations: {} }), { code: 'forbidden' });
  assert.deepEqual(stored(rig, 'theirs')?.metadata.annotations, undefined);
});

test('a gateway that may see its own namespace only says so', async (t) => {
  const prepare: NonNullable<Parameters<typeof startRig>[1]>['prepare'] = (api) => {
    const body = { status: { allowed: false } };
    api.answer('POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 201, body);
  };
  const rig = await startRig(t, { prepare });
  assert.deepEqual(await rig.provider.namespaces.list(), [namespace]);
  const create = rig.provider.namespaces.create({ name: 'dev', labels: {}, annotations: {} });
  await assert.rejects(create, { code: 'forbidden', message: /may only see its default namespace/ });
  await rig.provider.deploy({ service: 'fn', namespace, image: 'fn:1' });
  assert.ok(rig.reports.has('fn'));
  assert.ok(!rig.api.requests.some((line) => line.startsWith('GET /apis/apps/v1/deployments')), 'it asked for the whole cluster');
});

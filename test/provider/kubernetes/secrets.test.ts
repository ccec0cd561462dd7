// Secrets of functions and logins for their images, against an API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../../provider/kubernetes/objects.ts';
import { collections, namespace, type Rig, startRig } from './rig.ts';

const login = 'kubernetes.io/dockerconfigjson';
const config = JSON.stringify({ auths: { 'registry.example.com': { auth: 'dTpw' } } });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const stored = ({ api }: Rig, name: string): Secret | undefined => api.find<Secret>(`${collections.secrets}/${name}`);
const secret = (name: string, text: string) => ({ name, namespace, value: Buffer.from(text) });

test('fact 115: a secret is one key of its own name, with the label of OpenFaaS', async (t) => {
  const rig = await startRig(t);
  await rig.provider.secrets.create(secret('key', 'value'));
  const { type, data, metadata } = stored(rig, 'key') ?? assert.fail('it was not made');
  assert.deepEqual([type, data], ['Opaque', { key: base64('value') }]);
  assert.deepEqual(metadata.labels, { 'app.kubernetes.io/managed-by': 'openfaas' });
});

test('fact 118: a login for images is used for pulling, the other secrets of a function are files', async (t) => {
  const rig = await startRig(t);
  await rig.provider.secrets.create({ ...secret('registry', config), type: login });
  await rig.provider.secrets.create(secret('key', 'value'));
  assert.deepEqual(
    [stored(rig, 'registry')?.type, stored(rig, 'registry')?.data],
    [login, { '.dockerconfigjson': base64(config) }],
  );
  await rig.provider.deploy({ service: 'fn', namespace, image: 'fn:1', secrets: ['registry', 'key'] });
  const { spec } = rig.deployment('fn')?.spec.template ?? assert.fail('there is no deployment');
  assert.deepEqual(spec.imagePullSecrets, [{ name: 'registry' }]);
  assert.deepEqual(spec.volumes?.[0]?.projected?.sources, [{ secret: { name: 'key' } }]);
  assert.deepEqual((await rig.provider.get({ name: 'fn', namespace }))?.secrets, ['key', 'registry']);
});

test('a login that is none is refused without its text, made or changed', async (t) => {
  const rig = await startRig(t);
  const expected = (error: Error): boolean =>
    /expected docker's config\.json/.test(error.message) && !/hunter/.test(error.message);
  for (const text of ['hunter2', '"hunter2"', '{"auth":"hunter2"}', 'null', '{"auths":"hunter2"}']) {
    await assert.rejects(rig.provider.secrets.create({ ...secret('registry', text), type: login }), expected);
  }
  assert.equal(stored(rig, 'registry'), undefined);
  await rig.provider.secrets.create({ ...secret('registry', config), type: login });
  await assert.rejects(rig.provider.secrets.update(secret('registry', 'hunter2')), expected);
  assert.deepEqual(stored(rig, 'registry')?.data, { '.dockerconfigjson': base64(config) });
});

test('an update keeps the type and leaves no other key behind', async (t) => {
  const rig = await startRig(t);
  await rig.provider.secrets.create({ ...secret('registry', config), type: login });
  const other = config.replace('registry', 'mirror');
  await rig.provider.secrets.update(secret('registry', other));
  assert.deepEqual(
    [stored(rig, 'registry')?.type, stored(rig, 'registry')?.data],
    [login, { '.dockerconfigjson': base64(other) }],
  );
  await assert.rejects(rig.provider.secrets.update({ ...secret('registry', 'x'), type: 'Opaque' }), {
    code: 'invalid',
    message: /^type: expected kubernetes\.io\/dockerconfigjson.*got Opaque/,
  });
  const labels = { 'app.kubernetes.io/managed-by': 'openfaas' };
  const old = { metadata: { name: 'old', namespace, labels }, type: 'Opaque', data: { one: 'MQ==', two: 'Mg==' } };
  rig.api.put(old, collections.secrets);
  await rig.provider.secrets.update(secret('old', 'new'));
  assert.deepEqual(stored(rig, 'old')?.data, { old: base64('new') });
});

test('fact 117: secrets of others are neither shown, changed nor removed, and can be used', async (t) => {
  const rig = await startRig(t);
  rig.api.put({ metadata: { name: 'theirs', namespace }, type: 'Opaque', data: { a: 'MQ==' } } as never, collections.secrets);
  assert.deepEqual(await rig.provider.secrets.list(namespace), []);
  await assert.rejects(rig.provider.secrets.update(secret('theirs', 'x')), { code: 'not-found', message: /managed-by=openfaas/ });
  await assert.rejects(rig.provider.secrets.remove({ name: 'theirs', namespace }), { code: 'not-found' });
  assert.deepEqual(stored(rig, 'theirs')?.data, { a: 'MQ==' });
  await rig.provider.deploy({ service: 'fn', namespace, image: 'fn:1', secrets: ['theirs'] });
  assert.equal(rig.deployment('fn')?.spec.template.spec.volumes?.length, 1);
});

test('secrets that are not there are all named, and nothing is made', async (t) => {
  const rig = await startRig(t);
  const deploy = rig.provider.deploy({ service: 'fn', namespace, image: 'fn:1', secrets: ['b', 'a'] });
  await assert.rejects(deploy, { code: 'invalid', message: /^secrets: .*got "a", "b"$/ });
  assert.equal(rig.deployment('fn'), undefined);
});

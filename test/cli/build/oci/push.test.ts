import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { blobOfBytes } from '../../../../cli/build/oci/blob.ts';
import { mediaTypes } from '../../../../cli/build/oci/media-types.ts';
import { pushImage } from '../../../../cli/build/oci/push-image.ts';
import { pieceBytes, uploadBlob } from '../../../../cli/build/oci/upload.ts';
import { amd64, arm64, connectTo, imageOf, layerOf } from './images.ts';
import { type Fault, startRegistry } from './registry-server.ts';

const ada = { kind: 'basic', user: 'ada', password: 'secret' } as const;
const tag = { tag: '1' };

test('blobs arrive before the manifest that names them, and nothing is sent twice', async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  const image = imageOf([layerOf('one'), layerOf('two')]);
  const first = await pushImage({ registry, repository: 'team/app' }, tag, image);
  assert.equal(first.digest, image.root.descriptor.digest);
  assert.deepEqual(first.counts, { there: 0, mounted: 0, sent: 3 });
  assert.equal(server.calls().at(-1), 'PUT /v2/team/app/manifests/1');
  assert.deepEqual(server.manifests.get('team/app:1')?.bytes, image.root.bytes);
  for (const blob of image.manifests[0]!.blobs) assert.ok(server.blobs.has(`team/app@${blob.descriptor.digest}`));
  server.asked.length = 0;
  const second = await pushImage({ registry, repository: 'team/app' }, tag, image);
  assert.deepEqual(second, { digest: first.digest, counts: { there: 3, mounted: 0, sent: 0 }, sentBytes: 0 });
  assert.ok(server.calls().every((call) => !call.startsWith('POST')));
});

test('an index follows the manifests of its platforms', async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  const image = imageOf([layerOf('one')], [amd64, arm64]);
  await pushImage({ registry, repository: 'app' }, tag, image);
  const puts = server.calls().filter((call) => call.startsWith('PUT') && call.includes('manifests'));
  const [first, second] = image.manifests.map((each) => each.descriptor.digest);
  assert.deepEqual(puts, [`PUT /v2/app/manifests/${first}`, `PUT /v2/app/manifests/${second}`, 'PUT /v2/app/manifests/1']);
  assert.equal(server.manifests.get('app:1')?.mediaType, mediaTypes.index);
});

test('what another repository of the registry has is mounted from there', async (t) => {
  const server = await startRegistry(t, { login: 'token' });
  const { registry } = connectTo(t, server.name, ada);
  const blob = layerOf('shared').blob;
  await uploadBlob({ registry, repository: 'base' }, blob);
  server.asked.length = 0;
  const origin = { registry: server.name, repository: 'base' };
  const unreadable = { ...blob, origin, open: () => Promise.reject(new Error('nothing should be read')) };
  assert.equal(await uploadBlob({ registry, repository: 'team/app' }, unreadable), 'mounted');
  assert.ok(server.blobs.has(`team/app@${blob.descriptor.digest}`));
  assert.deepEqual(server.scopes.at(-1), ['repository:team/app:pull,push', 'repository:base:pull']);
});

test('a mount that the registry does not make becomes an upload', async (t) => {
  const server = await startRegistry(t);
  const { registry } = connectTo(t, server.name);
  const blob = { ...layerOf('gone').blob, origin: { registry: server.name, repository: 'elsewhere' } };
  assert.equal(await uploadBlob({ registry, repository: 'app' }, blob), 'sent');
  assert.equal(server.calls().filter((call) => call.startsWith('POST')).length, 1, 'the upload that the mount began is used');
});

test('a mount that is forbidden becomes an upload', async (t) => {
  const fault = ({ path }: { path: string }): Fault | undefined => (path.includes('mount=') ? { status: 403 } : undefined);
  const server = await startRegistry(t, { fault });
  const { registry } = connectTo(t, server.name);
  const blob = { ...layerOf('private').blob, origin: { registry: server.name, repository: 'elsewhere' } };
  assert.equal(await uploadBlob({ registry, repository: 'app' }, blob), 'sent');
});

for (const [kind, credentials] of [
  ['basic', ada],
  ['token', ada],
  ['token', { kind: 'refresh', token: 'remembered' }],
] as const) {
  test(`a login by ${kind} is used with a ${credentials.kind} secret, and asked for once a repository`, async (t) => {
    const server = await startRegistry(t, { login: kind });
    const { registry } = connectTo(t, server.name, credentials);
    await pushImage({ registry, repository: 'team/app' }, tag, imageOf([layerOf('one'), layerOf('two'), layerOf('three')]));
    assert.ok(server.manifests.has('team/app:1'));
    if (kind === 'token') assert.deepEqual(server.scopes, [['repository:team/app:pull,push']]);
  });
}

test('a token that has run out is renewed', async (t) => {
  let expired = false;
  const fault = ({ path, headers }: { path: string; headers: { authorization?: string | undefined } }): Fault | undefined => {
    if (!path.includes('manifests') || expired || headers.authorization === undefined) return undefined;
    expired = true;
    return { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.name}/token",service="test"` } };
  };
  const server = await startRegistry(t, { login: 'token', fault });
  const { registry } = connectTo(t, server.name, ada);
  await pushImage({ registry, repository: 'app' }, tag, imageOf([layerOf('one')]));
  assert.equal(expired, true);
  assert.equal(server.scopes.length, 2);
});

test('without a login the error names registry, repository, status and what to do', async (t) => {
  const server = await startRegistry(t, { login: 'basic' });
  const { registry } = connectTo(t, server.name);
  await assert.rejects(pushImage({ registry, repository: 'team/app' }, tag, imageOf([layerOf('one')])), (error: Error) => {
    assert.match(error.message, new RegExp(`^registry ${server.name}: looking for sha256:\\w+ \\(team/app\\): status 401; `));
    assert.match(error.message, /no login for .* in docker's config\.json: log in with `docker login /);
    return true;
  });
  assert.equal(server.manifests.size, 0);
});

test('a login that is refused is said to be', async (t) => {
  const server = await startRegistry(t, { login: 'token' });
  const { registry } = connectTo(t, server.name, { kind: 'basic', user: 'ada', password: 'wrong' });
  const refused =
    /asking 127\.0\.0\.1:\d+ for a token \(app\): status 401; UNAUTHORIZED: said UNAUTHORIZED; the login for .* was not accepted/;
  await assert.rejects(pushImage({ registry, repository: 'app' }, tag, imageOf([layerOf('one')])), refused);
});

test('answers of 429 and 5xx and cut connections are tried again, with growing pauses', async (t) => {
  const faults: Fault[] = [{ status: 503 }, { cutAfter: 0 }, { status: 429, headers: { 'retry-after': '7' } }];
  const fault = ({ path }: { path: string }): Fault | undefined => (path.includes('manifests') ? faults.shift() : undefined);
  const server = await startRegistry(t, { fault });
  const { registry, pauses } = connectTo(t, server.name);
  await pushImage({ registry, repository: 'app' }, tag, imageOf([layerOf('one')]));
  assert.ok(server.manifests.has('app:1'));
  assert.deepEqual(pauses, [150, 300, 7000]);
});

test('a registry that stays broken is given up, with its status', async (t) => {
  const server = await startRegistry(t, { fault: () => ({ status: 502 }) });
  const { registry, pauses } = connectTo(t, server.name);
  await assert.rejects(
    pushImage({ registry, repository: 'app' }, tag, imageOf([layerOf('one')])),
    /looking for sha256:\w+ \(app\): status 502; the registry or a proxy in front of it has a problem/,
  );
  // Three uploads side by side, of which each may have got so far.
  assert.ok(pauses.length >= 5, `${pauses.length} pauses`);
});

test('an upload that is cut goes on in pieces, from where the registry got to', async (t) => {
  const bytes = randomBytes(2 * pieceBytes + 1000);
  const patches: string[] = [];
  const fault = ({ method, headers }: { method: string; headers: Record<string, unknown> }): Fault | undefined => {
    if (method === 'PUT' && headers['content-length'] !== '0') return { cutAfter: 100_000 };
    if (method !== 'PATCH') return undefined;
    patches.push(String(headers['content-range']));
    return patches.length === 2 ? { cutAfter: 500_000 } : undefined;
  };
  const server = await startRegistry(t, { fault });
  const { registry, pauses } = connectTo(t, server.name);
  const blob = blobOfBytes(mediaTypes.layer, bytes);
  assert.equal(await uploadBlob({ registry, repository: 'app' }, blob), 'sent');
  assert.deepEqual(server.blobs.get(`app@${blob.descriptor.digest}`), bytes);
  const resumed = pieceBytes + 500_000;
  assert.deepEqual(patches, [`0-${pieceBytes - 1}`, `${pieceBytes}-${2 * pieceBytes - 1}`, `${resumed}-${bytes.length - 1}`]);
  assert.equal(pauses.length, 2);
});

test('an upload that the registry has forgotten begins anew', async (t) => {
  const bytes = randomBytes(pieceBytes + 5);
  let count = 0;
  const fault = ({ method, path }: { method: string; path: string }): Fault | undefined => {
    if (method === 'GET' && path.includes('uploads')) return { status: 404 };
    if (method === 'PUT' && count === 0) {
      count = 1;
      return { cutAfter: 10 };
    }
    if (method === 'PATCH' && count++ === 2) return { cutAfter: 10 };
    return undefined;
  };
  const server = await startRegistry(t, { fault });
  const { registry } = connectTo(t, server.name);
  const blob = blobOfBytes(mediaTypes.layer, bytes);
  assert.equal(await uploadBlob({ registry, repository: 'app' }, blob), 'sent');
  assert.deepEqual(server.blobs.get(`app@${blob.descriptor.digest}`), bytes);
  assert.ok(server.calls().filter((call) => call === 'POST /v2/app/blobs/uploads/').length >= 3);
});

test('a registry that nobody listens on is said to be, after some attempts', async (t) => {
  const { registry, pauses } = connectTo(t, '127.0.0.1:1');
  await assert.rejects(
    uploadBlob({ registry, repository: 'app' }, layerOf('x').blob),
    /^FaasError: registry 127\.0\.0\.1:1: looking for sha256:\w+ \(app\): nothing listens there$/,
  );
  assert.deepEqual(pauses, [150, 300, 600, 1200, 2400]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenge } from '../../../../cli/build/oci/challenge.ts';
import { createdAt } from '../../../../cli/build/oci/compose.ts';
import { parseLdd } from '../../../../cli/build/oci/libraries.ts';
import { isSamePlatform, parsePlatform } from '../../../../cli/build/oci/media-types.ts';
import { insecureRegistries, parseReference, registryUrl } from '../../../../cli/build/oci/reference.ts';
import { pauseMs, retryAfterMs } from '../../../../cli/build/oci/retry.ts';

const digest = `sha256:${'a'.repeat(64)}`;

for (const [image, registry, repository, tag] of [
  ['debian', 'docker.io', 'library/debian', 'latest'],
  ['docker.io/debian:12', 'docker.io', 'library/debian', '12'],
  ['ada/app:1', 'docker.io', 'ada/app', '1'],
  ['localhost/app', 'localhost', 'app', 'latest'],
  ['localhost:5000/team/app:1.2', 'localhost:5000', 'team/app', '1.2'],
  ['registry.example.com/app', 'registry.example.com', 'app', 'latest'],
]) {
  test(`${image} is ${repository}:${tag} of ${registry}`, () => {
    assert.deepEqual(parseReference(image!), { registry, repository, tag, digest: undefined });
  });
}

test('a digest stays beside its tag, and a malformed one is refused', () => {
  assert.equal(parseReference(`r.example/app:1@${digest}`).digest, digest);
  for (const bad of ['r.example/app@sha256:12', `app@${digest}@${digest}`, 'r.example/App']) {
    assert.throws(() => parseReference(bad), /image: expected/);
  }
});

test('this machine and registries that are named so speak plain HTTP, others never', () => {
  const insecure = insecureRegistries({ SLUICE_INSECURE_REGISTRIES: 'reg.lan:5000, 10.0.0.1' });
  assert.equal(registryUrl('localhost:5000', []), 'http://localhost:5000');
  assert.equal(registryUrl('127.0.0.1:5000', []), 'http://127.0.0.1:5000');
  assert.equal(registryUrl('reg.lan:5000', insecure), 'http://reg.lan:5000');
  assert.equal(registryUrl('10.0.0.1', insecure), 'http://10.0.0.1');
  assert.equal(registryUrl('localhost.example.com', insecure), 'https://localhost.example.com');
  assert.equal(registryUrl('docker.io', []), 'https://registry-1.docker.io');
});

test('of the challenges that a registry offers, one with a token service is taken', () => {
  const bearer = 'Bearer realm="https://auth.example/token?a=1,2",service="reg",scope="repository:a:pull,push"';
  const expected = {
    scheme: 'bearer',
    realm: 'https://auth.example/token?a=1,2',
    service: 'reg',
    scope: 'repository:a:pull,push',
  };
  assert.deepEqual(parseChallenge(bearer), expected);
  assert.deepEqual(parseChallenge(`Basic realm="x", ${bearer}`), expected);
  assert.deepEqual(parseChallenge('BASIC realm=x'), { scheme: 'basic' });
  assert.equal(parseChallenge('Negotiate'), undefined);
  assert.equal(parseChallenge('Bearer realm="no address"'), undefined);
});

test('platforms are linux/<architecture>[/variant], and v8 is what arm64 is', () => {
  assert.deepEqual(parsePlatform('linux/arm/v7'), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.ok(isSamePlatform(parsePlatform('linux/arm64'), parsePlatform('linux/arm64/v8')));
  assert.ok(!isSamePlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm/v7')));
  for (const bad of ['linux', 'windows/amd64', 'linux/', 'linux/arm/', 'linux/a/b/c', 'linux/AMD64']) {
    assert.throws(() => parsePlatform(bad), /platform: expected linux\/<architecture>/, bad);
  }
});

test('pauses double up to ten seconds, and Retry-After is taken in seconds or as a date, up to a minute', () => {
  assert.deepEqual(
    [2, 3, 4, 12].map((next) => pauseMs(next, 1)),
    [200, 400, 800, 10_000],
  );
  assert.equal(pauseMs(2, 0), 100);
  const now = Date.parse('2026-01-02T03:04:05Z');
  assert.equal(retryAfterMs({ 'retry-after': '3' }, now), 3000);
  assert.equal(retryAfterMs({ 'retry-after': 'Fri, 02 Jan 2026 03:04:15 GMT' }, now), 10_000);
  assert.equal(retryAfterMs({ 'retry-after': '9999' }, now), 60_000);
  assert.equal(retryAfterMs({ 'retry-after': 'soon' }, now), undefined);
  assert.equal(retryAfterMs({}, now), undefined);
});

test('an image is as old as SOURCE_DATE_EPOCH says, or from 1970', () => {
  assert.equal(createdAt({}), '1970-01-01T00:00:00Z');
  assert.equal(createdAt({ SOURCE_DATE_EPOCH: '1700000000' }), '2023-11-14T22:13:20Z');
  assert.equal(createdAt({ SOURCE_DATE_EPOCH: 'yesterday' }), '1970-01-01T00:00:00Z');
});

test('what ldd prints for several programs is read: loader, libraries and what is missing', () => {
  const text = `/usr/bin/a:
\tlinux-vdso.so.1 (0x00007ffd)
\tlibz.so.1 => /lib/x/libz.so.1 (0x00007f01)
\tlibnone.so.2 => not found
\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)
/usr/bin/b:
\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f03)
\tld-linux-x86-64.so.2 => /lib64/ld-linux-x86-64.so.2 (0x00007f02)
/usr/bin/c:
\tstatically linked
`;
  const { loader, files, missing } = parseLdd(text);
  assert.equal(loader, '/lib64/ld-linux-x86-64.so.2');
  assert.deepEqual(
    [...files],
    [
      ['libc.so.6', '/lib/x/libc.so.6'],
      ['libz.so.1', '/lib/x/libz.so.1'],
    ],
  );
  assert.deepEqual([...missing], [['libnone.so.2', '/usr/bin/a']]);
});

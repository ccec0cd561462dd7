import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepCredentials, readCredentials, sweepCredentials } from '../../gateway/credentials.ts';
import { onEnd } from '../helpers/cleanup.ts';

const directory = async (t: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'sluice-credentials-'));
  onEnd(t, () => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
};

const writePair = (path: string, user: string, password: string) =>
  Promise.all([writeFile(join(path, 'basic-auth-user'), user), writeFile(join(path, 'basic-auth-password'), password)]);

test('a first start makes admin and a long password that only this account can read', async (t) => {
  const dataDir = join(await directory(t), 'new');
  const made = await keepCredentials(dataDir);
  assert.equal(made.user, 'admin');
  assert.equal(made.generated, true);
  assert.match(made.password, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(made.file, join(dataDir, 'credentials', 'basic-auth-password'));
  assert.equal((await stat(made.file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(dataDir, 'credentials'))).mode & 0o777, 0o700);
  assert.deepEqual((await readdir(join(dataDir, 'credentials'))).sort(), ['basic-auth-password', 'basic-auth-user']);
});

test('a second start finds them again', async (t) => {
  const dataDir = await directory(t);
  const first = await keepCredentials(dataDir);
  const second = await keepCredentials(dataDir);
  assert.deepEqual(second, { ...first, generated: false });
});

test('starts that run into each other agree on one password', async (t) => {
  const dataDir = await directory(t);
  const made = await Promise.all(Array.from({ length: 8 }, () => keepCredentials(dataDir)));
  const kept = await readFile(join(dataDir, 'credentials', 'basic-auth-password'), 'utf8');
  assert.deepEqual(new Set(made.map((each) => each.password)), new Set([kept]));
});

test('a start that was killed between the two files is completed by the next', async (t) => {
  const dataDir = await directory(t);
  await mkdir(join(dataDir, 'credentials'));
  await writeFile(join(dataDir, 'credentials', 'basic-auth-user'), 'ann');
  const made = await keepCredentials(dataDir);
  assert.deepEqual([made.user, made.password.length, made.generated], ['ann', 43, true]);
});

test('fact 9: white space around user and password is not part of them', async (t) => {
  const path = await directory(t);
  await writePair(path, ' ann\n', '\tsecret \r\n');
  const { user, password, generated } = await readCredentials(path);
  assert.deepEqual([user, password, generated], ['ann', 'secret', false]);
});

test('given credentials that are missing or empty stop the start and are named', async (t) => {
  const path = await directory(t);
  await assert.rejects(readCredentials(path), {
    code: 'invalid',
    message: /^secret_mount_path: expected the files basic-auth-user and/,
  });
  await writePair(path, 'ann', '\n');
  await assert.rejects(readCredentials(path), {
    code: 'invalid',
    message: /basic-auth-password: expected a password, got nothing$/,
  });
  await writePair(path, 'a:b', 'x');
  await assert.rejects(readCredentials(path), {
    code: 'invalid',
    message: /basic-auth-user: expected a user name without colons$/,
  });
  await rm(join(path, 'basic-auth-user'));
  await assert.rejects(readCredentials(path), {
    code: 'invalid',
    message: /basic-auth-user: expected a user name, got no file$/,
  });
});

test('what a start that was killed has left is swept away, and nothing else', async (t) => {
  const dataDir = await directory(t);
  await sweepCredentials(dataDir);
  const made = await keepCredentials(dataDir);
  const place = join(dataDir, 'credentials');
  for (const name of ['.basic-auth-password.0123456789ab', '.mine']) await writeFile(join(place, name), 'x');
  await sweepCredentials(dataDir);
  assert.deepEqual((await readdir(place)).sort(), ['.mine', 'basic-auth-password', 'basic-auth-user']);
  assert.equal((await readCredentials(place)).password, made.password);
});

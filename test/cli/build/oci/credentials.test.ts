import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFindCredentials } from '../../../../cli/build/oci/credentials.ts';
import type { Cleanup } from '../../../helpers/cleanup.ts';
import { makeTmpDir } from '../../../helpers/tmp.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const ada = { kind: 'basic', user: 'ada', password: 'se:cret' } as const;

const find = async (t: Cleanup, config: unknown, env: Readonly<Record<string, string>> = {}) => {
  const home = await makeTmpDir(t);
  await mkdir(join(home, '.docker'));
  await writeFile(join(home, '.docker', 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return createFindCredentials(env, home);
};

/** A directory with one credential helper; `$1` is the action, standard input the registry. */
const helperDir = async (t: Cleanup, name: string, script: string): Promise<string> => {
  const dir = await makeTmpDir(t);
  await writeFile(join(dir, `docker-credential-${name}`), `#!/bin/sh\nread server\n${script}\n`);
  await chmod(join(dir, `docker-credential-${name}`), 0o755);
  return `${dir}:/usr/bin:/bin`;
};

test('a login is found by its registry however docker has written it', async (t) => {
  const lookUp = await find(t, {
    auths: {
      'localhost:5000': { auth: base64('ada:se:cret') },
      'https://plain.example/v2/': { username: 'ada', password: 'se:cret' },
      'https://index.docker.io/v1/': { auth: base64('hub:word\0\0') },
      'token.example': { identitytoken: 'remembered', auth: '' },
      'empty.example': {},
    },
  });
  assert.deepEqual(await lookUp('localhost:5000'), ada);
  assert.deepEqual(await lookUp('plain.example'), ada);
  assert.deepEqual(await lookUp('docker.io'), { kind: 'basic', user: 'hub', password: 'word' });
  assert.deepEqual(await lookUp('token.example'), { kind: 'refresh', token: 'remembered' });
  for (const unknown of ['empty.example', 'localhost:5001', 'localhost']) assert.equal(await lookUp(unknown), undefined, unknown);
});

test('without a file there is no login; DOCKER_CONFIG names another folder', async (t) => {
  assert.equal(await createFindCredentials({}, await makeTmpDir(t))('r.example'), undefined);
  const dir = await makeTmpDir(t);
  await writeFile(join(dir, 'config.json'), JSON.stringify({ auths: { 'r.example': { auth: base64('ada:se:cret') } } }));
  assert.deepEqual(await createFindCredentials({ DOCKER_CONFIG: dir }, await makeTmpDir(t))('r.example'), ada);
});

test('a broken file is an error that names it and shows no secret', async (t) => {
  await assert.rejects((await find(t, 'not json'))('r.example'), /config\.json: expected JSON/);
  await assert.rejects(
    (await find(t, { auths: { 'r.example': { auth: base64('secretword') } } }))('r.example'),
    (error: Error) => {
      assert.match(error.message, /config\.json: auths\.r\.example\.auth: expected base64 of user:password/);
      assert.ok(!error.message.includes('secretword'));
      return true;
    },
  );
  await assert.rejects(
    (await find(t, { auths: { 'r.example': { auth: 5 } } }))('r.example'),
    /auths\.r\.example\.auth: expected string/,
  );
});

test('a credential helper is asked for its registry, the store for all others', async (t) => {
  const PATH = await helperDir(t, 'own', 'echo "{\\"Username\\":\\"$1-$server\\",\\"Secret\\":\\"word\\"}"');
  const one = await find(t, { credHelpers: { 'own.example': 'own' } }, { PATH });
  assert.deepEqual(await one('own.example'), { kind: 'basic', user: 'get-own.example', password: 'word' });
  assert.equal(await one('other.example'), undefined);
  const all = await find(t, { credsStore: 'own' }, { PATH });
  assert.deepEqual(await all('docker.io'), { kind: 'basic', user: 'get-https://index.docker.io/v1/', password: 'word' });
});

test("a helper's token is a refresh token, and a registry it does not know falls back to the file", async (t) => {
  const known = await helperDir(t, 'known', 'echo \'{"Username":"<token>","Secret":"remembered"}\'');
  assert.deepEqual(await (await find(t, { credsStore: 'known' }, { PATH: known }))('r.example'), {
    kind: 'refresh',
    token: 'remembered',
  });
  const unknown = await helperDir(t, 'unknown', 'echo "credentials not found in native keychain"; exit 1');
  const auths = { 'r.example': { auth: base64('ada:se:cret') } };
  assert.deepEqual(await (await find(t, { credsStore: 'unknown', auths }, { PATH: unknown }))('r.example'), ada);
});

test('a helper that is missing or fails is an error that names it', async (t) => {
  const PATH = await helperDir(t, 'locked', 'echo "the key ring is locked"; exit 1');
  await assert.rejects(
    (await find(t, { credsStore: 'absent' }, { PATH }))('r.example'),
    /docker-credential-absent: expected to find this program on PATH/,
  );
  await assert.rejects(
    (await find(t, { credsStore: 'locked' }, { PATH }))('r.example'),
    /docker-credential-locked get: exit code 1: the key ring is locked/,
  );
  await assert.rejects(
    (await find(t, { credsStore: '../x' }, { PATH }))('r.example'),
    /expected the name of a credential helper/,
  );
});

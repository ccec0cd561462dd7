import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { runCli, startGateway } from '../run-cli.ts';

const created = () => ({ status: 202 });

test('cli fact 53: secret create trims its value, unless told not to, and sends the bytes of a file beside it', async (t) => {
  const gateway = await startGateway(t, created);
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'value'), ' v\n');
  const ran = await runCli(t, ['secret', 'create', 'one', '-g', gateway.url], { stdin: ' piped \n' });
  assert.equal(ran.code, 0);
  assert.equal(ran.stdout, 'Creating secret: one.\nCreated: 202 Accepted\n');
  await runCli(t, ['secret', 'create', 'two', '--from-literal', ' x ', '--trim=false', '-n', 'ns', '-g', gateway.url]);
  await runCli(t, ['secret', 'create', 'three', '--from-file', 'value', '-g', gateway.url], { cwd });
  assert.deepEqual(
    gateway.seen.map((seen) => JSON.parse(seen.body)),
    [
      { name: 'one', value: 'piped' },
      { name: 'two', namespace: 'ns', value: ' x ' },
      { name: 'three', value: 'v', rawValue: Buffer.from(' v\n').toString('base64') },
    ],
  );
});

test('secret create --type sends a login for images as such, and knows no other type', async (t) => {
  const gateway = await startGateway(t, created);
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'config.json'), '{"auths":{}}');
  const type = 'kubernetes.io/dockerconfigjson';
  const args = ['secret', 'create', 'registry', '--from-file', 'config.json', '-g', gateway.url];
  assert.equal((await runCli(t, [...args, '--type', type], { cwd })).code, 0);
  assert.equal(JSON.parse(gateway.seen[0]?.body ?? '').type, type);
  const wrong = await runCli(t, [...args, '--type', 'tls'], { cwd });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--type.*kubernetes\.io\/dockerconfigjson/);
});

test('secret update sends the bytes of a file, too', async (t) => {
  const gateway = await startGateway(t, created);
  const cwd = await makeTmpDir(t);
  await writeFile(join(cwd, 'value'), Buffer.from([0xff, 0x00]));
  assert.equal((await runCli(t, ['secret', 'update', 's', '--from-file', 'value', '-g', gateway.url], { cwd })).code, 0);
  assert.equal(JSON.parse(gateway.seen[0]?.body ?? '').rawValue, '/wA=');
});

test('cli fact 54: secret create --replace updates a secret that exists', async (t) => {
  const gateway = await startGateway(t, (seen) => ({ status: seen.method === 'POST' ? 409 : 202 }));
  assert.equal((await runCli(t, ['secret', 'create', 's', '--from-literal', 'v', '--replace', '-g', gateway.url])).code, 0);
  assert.deepEqual(gateway.calls(), ['POST /system/secrets', 'PUT /system/secrets']);
});

test('a secret that cannot be created or updated exits 1 with what to do', async (t) => {
  const gateway = await startGateway(t, (seen) => ({ status: seen.method === 'POST' ? 409 : 404 }));
  const create = await runCli(t, ['secret', 'create', 's', '--from-literal', 'v', '-g', gateway.url]);
  assert.equal(create.code, 1);
  assert.match(create.stderr, /it exists already; change it with `sluice secret update`/);
  const update = await runCli(t, ['secret', 'update', 's', '--from-literal', 'v', '-g', gateway.url]);
  assert.equal(update.code, 1);
  assert.match(update.stderr, /updating secret s: there is none/);
  for (const status of [401, 500]) {
    const failing = await startGateway(t, () => ({ status }));
    assert.equal((await runCli(t, ['secret', 'create', 's', '--from-literal', 'v', '-g', failing.url])).code, 1);
  }
});

test('cli fact 52: a secret name must be a DNS subdomain, and its value must not be empty', async (t) => {
  const gateway = await startGateway(t, created);
  const cases: [string[], RegExp][] = [
    [['Bad_Name', '--from-literal', 'v'], /secret name: expected at most 253 .* got "Bad_Name"/],
    [
      ['s', '--from-literal', '  '],
      /secret s: expected a value that is not empty, from --from-literal, --from-file or standard input/,
    ],
    [['s', '--from-literal', 'a', '--from-file', 'b'], /expected one of --from-literal, --from-file and standard input, got two/],
    [['s', '--from-file', 'nowhere'], /--from-file: cannot read nowhere/],
  ];
  for (const [flags, expected] of cases) {
    const { code, stderr } = await runCli(t, ['secret', 'create', ...flags, '-g', gateway.url]);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
  assert.equal(gateway.seen.length, 0);
});

test('secret list prints names, a line when there are none, or JSON', async (t) => {
  const gateway = await startGateway(t, (seen) => ({
    json: seen.path.includes('empty')
      ? []
      : [
          { name: 'a', namespace: 'x' },
          { name: 'b', namespace: 'x' },
        ],
  }));
  assert.equal((await runCli(t, ['secret', 'list', '-g', gateway.url])).stdout, '\nNAME\na\nb\n\n');
  assert.equal((await runCli(t, ['secret', 'ls', '-n', 'empty', '-g', gateway.url])).stdout, 'No secrets found.\n');
  const { stdout } = await runCli(t, ['secret', 'list', '-j', '-g', gateway.url]);
  assert.equal(JSON.parse(stdout).length, 2);
});

test('secret remove names the secret and its namespace in the body, and fails when there is none', async (t) => {
  const gateway = await startGateway(t, (seen) => ({ status: seen.body.includes('gone') ? 404 : 202 }));
  assert.equal((await runCli(t, ['secret', 'rm', 's', '-n', 'ns', '-g', gateway.url])).code, 0);
  assert.equal(gateway.seen[0]?.body, '{"name":"s","namespace":"ns"}');
  assert.equal((await runCli(t, ['secret', 'remove', 'gone', '-g', gateway.url])).code, 1);
});

test('FAAS_DEBUG shows requests without the values of secrets', async (t) => {
  const gateway = await startGateway(t, created);
  const argv = ['secret', 'create', 's', '--from-literal', 'topsecret', '-g', gateway.url];
  const { stderr } = await runCli(t, argv, { env: { FAAS_DEBUG: '1' } });
  assert.match(stderr, /POST http.*\/system\/secrets\n/);
  assert.ok(!stderr.includes('topsecret'));
});

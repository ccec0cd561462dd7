import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../cli/run-cli.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

type Secret = string | { readonly source: string; readonly target: string };

type Service = {
  readonly image: string;
  readonly network_mode?: string;
  readonly privileged?: boolean;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly Secret[];
  readonly depends_on?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string; readonly timeout: string };
};

type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};

const readCompose = async (): Promise<Compose> =>
  parse(await readFile(join(packageRoot, 'docker-compose.yml'), 'utf8')) as Compose;

test('the stack is gateway, Prometheus, Alertmanager and Grafana, each with a health check and no more rights than it needs', async () => {
  const { services } = await readCompose();
  assert.deepEqual(Object.keys(services).sort(), ['alertmanager', 'gateway', 'grafana', 'prometheus']);
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.network_mode, undefined, `${name} is on a network of the stack`);
    assert.equal(service.privileged, undefined, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.equal(service.restart, 'unless-stopped', name);
    assert.equal(service.healthcheck?.test[0], 'CMD-SHELL', name);
    assert.match(
      service.image,
      name === 'gateway' ? /^localhost\// : /^docker\.io\/[\w/]+:v?\d+\.\d+\.\d+$/,
      'a version, and not the latest',
    );
  }
});

test('ports are published on this machine alone', async () => {
  for (const [name, { ports = [] }] of Object.entries((await readCompose()).services)) {
    assert.ok(ports.length > 0, name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+$/, name);
  }
});

test('every volume, secret and service that is used is declared, and every folder that is mounted is there', async () => {
  const { services, volumes, secrets } = await readCompose();
  for (const [name, service] of Object.entries(services)) {
    for (const secret of service.secrets ?? []) {
      assert.ok((typeof secret === 'string' ? secret : secret.source) in secrets, `${name}: ${JSON.stringify(secret)}`);
    }
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      assert.ok(source.startsWith('./') ? existsSync(join(packageRoot, source)) : source in volumes, `${name}: ${volume}`);
    }
    for (const other of service.depends_on ?? []) assert.ok(other in services, `${name}: ${other}`);
  }
});

test('the passwords are made once, by a folder that only its owner enters and that git and npm leave out', async (t) => {
  const { secrets } = await readCompose();
  const dir = await makeTmpDir(t);
  const script = join(packageRoot, 'deploy', 'compose', 'make-secrets.sh');
  const env = { PATH: process.env.PATH ?? '' };
  const make = async (): Promise<string[]> => {
    const copied = await runProgram(t, 'sh', ['-c', `cp '${script}' . && sh make-secrets.sh && stat -c %a secrets`], {
      cwd: dir,
      env,
    });
    assert.equal(copied.code, 0, copied.stderr);
    assert.match(copied.stdout, /^700$/m);
    const names = Object.values(secrets).map(({ file }) => file.replace('./deploy/compose/', ''));
    return Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
  };
  const first = await make();
  assert.deepEqual(
    first.map((text) => /^(?:admin|[\w-]{32})\n$/.test(text)),
    [true, true, true],
    first.join(),
  );
  assert.equal(new Set(first).size, 3, 'no two are the same');
  assert.deepEqual(await make(), first, 'a second time changes nothing');
  const ignored = await readFile(join(packageRoot, 'deploy', 'compose', '.gitignore'), 'utf8');
  assert.equal(ignored, 'secrets/\n');
});

test('Alertmanager logs in with the name that the gateway is given', async () => {
  const script = await readFile(join(packageRoot, 'deploy', 'compose', 'make-secrets.sh'), 'utf8');
  const config = await readFile(join(packageRoot, 'deploy', 'alertmanager', 'alertmanager.yml'), 'utf8');
  assert.match(config, /username: admin\n\s+password_file: \/run\/secrets\/basic-auth-password\n/);
  assert.match(script, /^keep basic-auth-user admin$/m);
});

test('the image of the gateway holds what the build needs and nothing that is not in the repository', async () => {
  const ignore = (await readFile(join(packageRoot, '.dockerignore'), 'utf8')).trim().split('\n');
  assert.equal(ignore[0], '*');
  for (const line of ignore.slice(1)) assert.ok(existsSync(join(packageRoot, line.slice(1))), line);
});

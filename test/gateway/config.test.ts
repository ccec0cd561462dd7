import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { describeSettings, readConfig, settingsTable } from '../../gateway/config.ts';
import { FaasError } from '../../provider/types/errors.ts';

const readPage = (): Promise<string> => readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The variables that the page calls meaningless. */
const ignoredEnv = async (): Promise<string[]> => {
  const line = (await readPage()).split('\n').find((each) => each.startsWith('These variables of OpenFaaS have no meaning here'));
  return [...(line ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] as string);
};

const home = '/home/ann';
const problemsOf = (argv: string[], env: Record<string, string> = {}): string => {
  try {
    readConfig(argv, env, home);
  } catch (error) {
    assert.ok(error instanceof FaasError);
    assert.equal(error.code, 'invalid');
    return error.message;
  }
  return '';
};

test('fact 1: without flags and variables the API listens on 8080 and the metrics on 8082, on this machine only', () => {
  const config = readConfig([], {}, home);
  assert.deepEqual([config.host, config.port, config.metricsPort], ['127.0.0.1', 8080, 8082]);
  assert.equal(config.dataDir, '/home/ann/.sluice');
  assert.equal(config.functionNamespace, 'openfaas-fn');
  assert.deepEqual([config.readTimeoutMs, config.writeTimeoutMs, config.upstreamTimeoutMs], [60_000, 60_000, 60_000]);
  assert.deepEqual([config.parkIdleMs, config.poolSize, config.provider, config.logLevel], [900_000, 2, 'process', 'info']);
});

for (const [text, expected] of [
  ['30', 30_000],
  ['30s', 30_000],
  ['1m5s', 65_000],
] as const) {
  test(`fact 17: upstream_timeout=${text} is ${expected} ms`, () => {
    assert.equal(readConfig([], { upstream_timeout: text }, home).upstreamTimeoutMs, expected);
    assert.equal(readConfig([], { read_timeout: text }, home).readTimeoutMs, expected);
    assert.equal(readConfig([], { write_timeout: text }, home).writeTimeoutMs, expected);
  });
}

test('fact 17: a timeout that is none stops the start and is named', () => {
  assert.match(problemsOf([], { upstream_timeout: 'soon' }), /^upstream_timeout: expected a duration .*, got "soon"$/);
  assert.match(problemsOf([], { read_timeout: '0' }), /^read_timeout: expected a duration above 0/);
});

test('fact 18: functions_provider_url is not needed, and it and the other variables of OpenFaaS are taken without effect', async () => {
  const names = await ignoredEnv();
  for (const name of ['functions_provider_url', 'faas_nats_address', 'scale_from_zero', 'metering_default_memory']) {
    assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`);
  }
  const env = Object.fromEntries(names.map((name) => [name, 'anything']));
  assert.deepEqual(readConfig([], env, home), readConfig([], {}, home));
});

test('fact 8: only true and false are taken for basic_auth, and anything else stops the start', () => {
  assert.equal(readConfig([], {}, home).basicAuth, true);
  assert.equal(readConfig([], { basic_auth: 'true' }, home).basicAuth, true);
  assert.equal(readConfig([], { basic_auth: 'false' }, home).basicAuth, false);
  for (const text of ['1', 'TRUE', 'False', 'no', '0']) {
    assert.equal(problemsOf([], { basic_auth: text }), `basic_auth: expected true or false, got ${JSON.stringify(text)}`);
  }
});

test('a flag wins over our variable, which wins over that of OpenFaaS', () => {
  const env = { SLUICE_UPSTREAM_TIMEOUT: '20s', upstream_timeout: '10s' };
  assert.equal(readConfig(['--upstream-timeout', '30s'], env, home).upstreamTimeoutMs, 30_000);
  assert.equal(readConfig([], env, home).upstreamTimeoutMs, 20_000);
  assert.equal(readConfig([], { ...env, SLUICE_UPSTREAM_TIMEOUT: '' }, home).upstreamTimeoutMs, 10_000);
});

test('flags are written with a space or an equals sign, and the last of a repeated one wins', () => {
  const config = readConfig(['--port=9000', '--host', '0.0.0.0', '--port', '9001', '--max-bundle-bytes=1Mi'], {}, home);
  assert.deepEqual([config.port, config.host, config.maxBundleBytes], [9001, '0.0.0.0', 1_048_576]);
});

test('every bad value is named at once', () => {
  const message = problemsOf(['--port', 'http', '--pool-size=-1', '--park-idle', 'never'], {
    function_namespace: 'No',
    SLUICE_METRICS_PORT: '70000',
  });
  for (const part of [
    '--port: expected a port from 0 to 65535, got "http"',
    '--pool-size: ',
    '--park-idle: ',
    'function_namespace: ',
    'SLUICE_METRICS_PORT: ',
  ]) {
    assert.ok(message.includes(part), `${part} in ${message}`);
  }
  assert.equal(message.split('; ').length, 5);
});

test('an unknown flag is refused with the one that was meant', () => {
  assert.equal(problemsOf(['--prot', '80']), '--prot: unknown flag; did you mean --port?');
  assert.match(problemsOf(['serve']), /^argument 1: expected a flag such as --port, got "serve"$/);
  assert.equal(problemsOf(['--port']), '--port: expected a value, got nothing');
  assert.equal(problemsOf(['--port', '--host', 'x']), '--port: expected a value, got nothing');
});

test('the access log is off, for all calls, for a share of them or for errors', () => {
  const shares = { off: 0, all: 1, '0.01': 0.01, '.5': 0.5, errors: 'errors' } as const;
  for (const [text, value] of Object.entries(shares)) {
    assert.equal(readConfig(['--access-log', text], {}, home).accessLog, value);
  }
  assert.equal(readConfig([], {}, home).accessLog, 0);
  for (const text of ['on', '1.5', '-1', '.', '1e-3']) assert.match(problemsOf([`--access-log=${text}`]), /expected off, all/);
});

test('limits on calls are whole numbers, and waiting is a duration', () => {
  const config = readConfig(['--max-inflight', '10', '--max-queue-wait', '2s'], { SLUICE_IDLE_TIMEOUT: '5m' }, home);
  assert.deepEqual([config.maxInflight, config.maxInflightPerReplica, config.maxQueue], [10, 0, 100]);
  assert.deepEqual([config.maxQueueWaitMs, config.idleTimeoutMs], [2000, 300_000]);
  assert.match(problemsOf(['--max-inflight', '-1']), /^--max-inflight: expected a whole number/);
});

test('a provider that does not exist is refused, and those that do are named', () => {
  assert.match(problemsOf(['--provider', 'docker']), /^--provider: expected one of process, kubernetes, got "docker"/);
});

test('directories become absolute, with ~ for the home directory', () => {
  assert.equal(readConfig(['--data-dir', '~/x'], {}, home).dataDir, '/home/ann/x');
  assert.equal(readConfig(['--data-dir', '/srv/../srv/x'], {}, home).dataDir, '/srv/x');
  assert.equal(readConfig([], { secret_mount_path: '/run/secrets/' }, home).secretMountPath, '/run/secrets');
  assert.equal(readConfig([], {}, home).secretMountPath, '');
});

test('API and metrics cannot have the same port, unless the system picks both', () => {
  assert.equal(
    problemsOf(['--port', '9090', '--metrics-port', '9090']),
    '--metrics-port: expected another port than --port, got "9090"',
  );
  assert.match(problemsOf(['--port', '8082']), /^--metrics-port: expected another port/);
  assert.equal(problemsOf(['--port', '0', '--metrics-port', '0']), '');
});

test('the help names every flag with its variables and default', () => {
  const help = describeSettings();
  assert.match(help, /--upstream-timeout \(SLUICE_UPSTREAM_TIMEOUT, upstream_timeout; 60s\)/);
  assert.match(help, /--data-dir \(SLUICE_DATA_DIR; ~\/\.sluice\)/);
});

test('docs/configuration.md has the table of settings as it is', async () => {
  assert.ok((await readPage()).includes(settingsTable()), settingsTable());
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootVariables, heapLimitMiB, memoryFlags, toEnvironment } from '../../../provider/process/environment.ts';
import { toPlan, toSpecialization } from '../../../provider/process/plan.ts';
import type { BundleConfig } from '../../../provider/types/bundle.ts';
import type { FunctionSpec } from '../../../provider/types/function.ts';

const spec = (more: Partial<FunctionSpec> = {}): FunctionSpec => ({ service: 'fn', namespace: 'ns', image: 'x', ...more });
const config = (more: Partial<BundleConfig> = {}): BundleConfig => ({ version: 1, language: 'test', mode: 'inproc', ...more });
const place = { temporary: '/run/t', basePath: '/bin', marker: 'm' };

test('the environment is built from nothing, and later parts win', () => {
  const environment = toEnvironment(
    spec({ envVars: { B: 'deployment', OPENFAAS_NAME: 'forged' }, envProcess: 'run me' }),
    config({ environment: { A: 'bundle', B: 'bundle' }, fprocess: 'template' }),
    place,
  );
  assert.deepEqual(environment, {
    PATH: '/bin',
    HOME: '/run/t',
    TMPDIR: '/run/t',
    LANG: 'C.UTF-8',
    A: 'bundle',
    B: 'deployment',
    fprocess: 'run me',
    OPENFAAS_NAME: 'fn',
    OPENFAAS_NAMESPACE: 'ns',
    SLUICE_REPLICA: 'm',
  });
});

test("a function's own timeout beats the bundle's and the default, an explicit exec_timeout beats all", () => {
  const annotations = { 'sluice.dev/timeout': '90s' };
  const bundle = config({ environment: { exec_timeout: '5s' } });
  const at = { ...place, defaultTimeoutMs: 60_000 };
  assert.equal(toEnvironment(spec(), config(), at).exec_timeout, '1m0s');
  assert.equal(toEnvironment(spec(), bundle, at).exec_timeout, '5s');
  assert.equal(toEnvironment(spec({ annotations }), bundle, at).exec_timeout, '1m30s');
  assert.equal(toEnvironment(spec({ annotations, envVars: { exec_timeout: '1s' } }), bundle, at).exec_timeout, '1s');
});

test('variables that Node.js reads as it starts are told from those it reads later', () => {
  const variables = bootVariables({ NODE_OPTIONS: '-r x', NODE_ENV: 'production', LANG: 'C.UTF-8', TZ: 'UTC', other: 'x' });
  assert.deepEqual(variables, { NODE_OPTIONS: '-r x', TZ: 'UTC' });
});

test('a memory limit or NODE_OPTIONS makes an inproc function start cold, and no other', () => {
  const source = { root: '/r', owner: undefined };
  const limited = spec({ limits: { memory: '128Mi' } });
  assert.deepEqual(toPlan({ ...source, spec: limited, config: config() }).boot?.nodeFlags, ['--max-old-space-size=88']);
  assert.equal(toPlan({ ...source, spec: limited, config: config({ mode: 'http' }) }).boot, undefined);
  assert.equal(toPlan({ ...source, spec: spec({ envVars: { a: 'b' } }), config: config() }).boot, undefined);
  const options = spec({ envVars: { NODE_OPTIONS: '--no-warnings' } });
  assert.deepEqual(toPlan({ ...source, spec: options, config: config() }).boot?.environment, { NODE_OPTIONS: '--no-warnings' });
});

test('the young generation of a watchdog is small unless its function says otherwise', () => {
  assert.deepEqual(memoryFlags(), ['--max-semi-space-size=8']);
  assert.deepEqual(memoryFlags('--no-warnings'), ['--max-semi-space-size=8']);
  assert.deepEqual(memoryFlags('--no-warnings --max-semi-space-size=32'), []);
  assert.deepEqual(memoryFlags('--max_semi_space_size=32'), []);
});

test('a blank from the pool is told to become the user of its namespace, one that booted as it is not', () => {
  const owner = { uid: 200_001, gid: 200_001 };
  const site = { temporary: '/t', secretsPath: undefined, marker: 'm', basePath: '/bin', defaultTimeoutMs: undefined };
  const warm = toPlan({ spec: spec(), config: config(), root: '/r', owner });
  assert.equal(toSpecialization(warm, site).uid, 200_001);
  const cold = toPlan({ spec: spec({ limits: { memory: '64Mi' } }), config: config(), root: '/r', owner });
  assert.equal(toSpecialization(cold, site).uid, undefined);
  assert.deepEqual(cold.boot?.owner, owner);
});

test('the heap leaves room for the rest of Node.js, and is never nothing', () => {
  assert.deepEqual(
    [32, 64, 128, 512].map((limit) => heapLimitMiB(limit * 2 ** 20)),
    [16, 32, 88, 472],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeleteFunctionRequest, parseDeployment, toWireStatus } from '../../../provider/types/function.ts';
import { parse } from '../../../provider/types/validate.ts';

const rule = 'at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit';
const good = { service: 'fn', image: 'fn:1' };

const refused: readonly (readonly [what: string, body: unknown, message: string])[] = [
  ['no body', null, 'body: expected an object, got null'],
  ['a list', [], 'body: expected an object, got []'],
  ['fact 64: no service', { image: 'i' }, 'service: expected a function name, got nothing'],
  ['fact 64: an empty service', { ...good, service: '' }, `service: expected ${rule}, got ""`],
  ['fact 64: service My_Fn', { ...good, service: 'My_Fn' }, `service: expected ${rule}, got "My_Fn"`],
  ['fact 64: service fn.a', { ...good, service: 'fn.a' }, `service: expected ${rule}, got "fn.a"`],
  ['fact 64: service -fn', { ...good, service: '-fn' }, `service: expected ${rule}, got "-fn"`],
  ['fact 64: service fn-', { ...good, service: 'fn-' }, `service: expected ${rule}, got "fn-"`],
  ['fact 64: an empty image', { ...good, image: '' }, 'image: expected an image name, got ""'],
  ['fact 64: no image', { service: 'fn' }, 'image: expected an image name, got nothing'],
  ['a namespace that is no label', { ...good, namespace: 'A.b' }, `namespace: expected ${rule}, got "A.b"`],
  ['a command that is a list', { ...good, envProcess: ['a'] }, 'envProcess: expected a command, got ["a"]'],
  ['a variable that is a number', { ...good, envVars: { A: 1 } }, 'envVars.A: expected a text, got 1'],
  [
    'a variable name with =',
    { ...good, envVars: { 'A=B': 'secret value' } },
    'envVars.A=B: expected a variable name without = or NUL, got "A=B"',
  ],
  ['a variable with NUL', { ...good, envVars: { A: 'a\0' } }, 'envVars.A: expected a text without NUL, got "a\\u0000"'],
  ['variables as a list', { ...good, envVars: [] }, 'envVars: expected an object of texts, got []'],
  ['a label that is a number', { ...good, labels: { a: 1 } }, 'labels.a: expected a text, got 1'],
  ['labels as a text', { ...good, labels: 'a=b' }, 'labels: expected an object of texts, got "a=b"'],
  ['secrets as a text', { ...good, secrets: 'a' }, 'secrets: expected a list of secret names, got "a"'],
  [
    'a secret that leads out of its directory',
    { ...good, secrets: ['../a'] },
    'secrets.0: expected at most 253 lower-case letters, digits, dashes and dots, starting and ending with a letter or digit, got "../a"',
  ],
  [
    'fact 65: an unparsable memory limit',
    { ...good, limits: { memory: 'lots' } },
    'limits.memory: expected an amount of memory such as 128Mi, got "lots"',
  ],
  [
    'fact 65: an unparsable CPU request',
    { ...good, requests: { cpu: '1 core' } },
    'requests.cpu: expected an amount of CPU such as 100m or 0.5, got "1 core"',
  ],
  ['a negative limit', { ...good, limits: { cpu: '-1' } }, 'limits.cpu: expected an amount of CPU such as 100m or 0.5, got "-1"'],
  ['limits as a text', { ...good, limits: '1Gi' }, 'limits: expected an object with memory and cpu, got "1Gi"'],
  [
    'a read-only flag that is a text',
    { ...good, readOnlyRootFilesystem: 'true' },
    'readOnlyRootFilesystem: expected true or false, got "true"',
  ],
  [
    'a bad setting',
    { ...good, labels: { 'com.openfaas.scale.min': 'two' } },
    'labels.com.openfaas.scale.min: expected a whole number of 0 or more, got "two"',
  ],
  [
    'several problems at once',
    { service: 'fn', annotations: { 'sluice.dev/timeot': '1s' }, labels: { a: 1, 'com.openfaas.scale.zero': 'no' } },
    'image: expected an image name, got nothing; labels.a: expected a text, got 1; ' +
      'labels.com.openfaas.scale.zero: expected true or false, got "no"; ' +
      'annotations.sluice.dev/timeot: unknown key under sluice.dev/; did you mean sluice.dev/timeout?',
  ],
];

for (const [what, body, message] of refused) {
  test(`a deployment is refused for ${what}`, () => {
    assert.throws(() => parseDeployment(body, 'openfaas-fn'), { name: 'FaasError', code: 'invalid', status: 400, message });
  });
}

test('the message about a body full of mistakes stays readable', () => {
  const body = { ...good, constraints: Array.from({ length: 100_000 }, () => 1) };
  assert.throws(
    () => parseDeployment(body, 'openfaas-fn'),
    (error: Error) => error.message.length < 3000 && error.message.endsWith('and 99980 more'),
  );
});

test('a namespace that comes from elsewhere than the body is checked too', () => {
  assert.throws(() => parseDeployment(good, '../etc'), { code: 'invalid', message: `namespace: expected ${rule}, got "../etc"` });
});

test('fact 73: unknown and deprecated keys are dropped and null stands for absent', () => {
  const body = {
    ...good,
    network: 'x',
    registryAuth: 'y',
    more: 1,
    labels: null,
    annotations: null,
    secrets: null,
    limits: null,
  };
  const spec = parseDeployment(body, 'openfaas-fn');
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), { service: 'fn', image: 'fn:1', namespace: 'openfaas-fn' });
});

test('a deployment keeps every value as it was written', () => {
  const body = {
    service: 'fn',
    image: 'ghcr.io/a/b:1@sha256:00',
    namespace: 'dev',
    envProcess: 'cat',
    envVars: { custom_env: 'a b', EMPTY: '' },
    constraints: ['zone=a'],
    secrets: ['b', 'a'],
    labels: { canary_build: 'true' },
    annotations: { json: '{\n "a": 1\n}' },
    limits: { memory: '5Mi', cpu: '100m', 'nvidia.com/gpu': '1' },
    requests: { memory: '' },
    readOnlyRootFilesystem: true,
  };
  assert.deepEqual(parseDeployment(body, 'openfaas-fn'), body);
});

test('an empty namespace means the default one', () => {
  assert.equal(parseDeployment({ ...good, namespace: '' }, 'openfaas-fn').namespace, 'openfaas-fn');
});

test('fact 70: a removal without a function name is refused', () => {
  assert.throws(() => parse(DeleteFunctionRequest, {}), { message: 'functionName: expected a function name, got nothing' });
  assert.throws(() => parse(DeleteFunctionRequest, { functionName: '' }), {
    message: 'functionName: expected a function name, got ""',
  });
  assert.equal(parse(DeleteFunctionRequest, { functionName: 'fn', namespace: 'dev' }).namespace, 'dev');
});

test('facts 75, 76, 77: a status leaves out what is empty or zero and always has name, image, namespace and createdAt', () => {
  const wire = toWireStatus({
    name: 'fn',
    image: '',
    namespace: 'dev',
    createdAt: '0001-01-01T00:00:00Z',
    replicas: 0,
    availableReplicas: 0,
    invocationCount: 0,
    envProcess: '',
    envVars: {},
    secrets: [],
    labels: { a: '' },
    limits: { memory: undefined },
    requests: {},
    readOnlyRootFilesystem: false,
    usage: { cpu: 0, totalMemoryBytes: 0 },
    conditions: [],
  });
  assert.deepEqual(wire, {
    name: 'fn',
    image: '',
    namespace: 'dev',
    createdAt: '0001-01-01T00:00:00Z',
    labels: { a: '' },
    usage: { cpu: 0, totalMemoryBytes: 0 },
  });
});

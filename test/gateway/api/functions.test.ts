import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionStatus } from '../../../provider/types/function.ts';
import { authorization, startApp } from '../app-under-test.ts';
import { drain, longestTurnOfThree } from '../longest-turn.ts';

const image = 'echo:1';
const deployment = { service: 'fn', image };

test('fact 63: a deployment is answered 202 with nothing, and is there at once', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('POST', '/system/functions', deployment);
  assert.deepEqual([answer.status, answer.text, answer.headers['content-length']], [202, '', '0']);
  const list = await app.ask('GET', '/system/functions');
  assert.equal(JSON.parse(list.text)[0].name, 'fn');
  assert.equal((await app.ask('GET', '/system/function/fn')).status, 200);
});

test('calls that were cut at their limit show as a condition, in the status and in the list', async (t) => {
  const timeouts = { count: 2, lastMs: 0, text: 'within 1s' };
  const app = await startApp(t, {}, { timeoutsOf: (key) => (key === 'fn.openfaas-fn' ? timeouts : undefined) });
  await app.ask('POST', '/system/functions', deployment);
  await app.ask('POST', '/system/functions', { service: 'other', image });
  const list: FunctionStatus[] = JSON.parse((await app.ask('GET', '/system/functions')).text);
  const one: FunctionStatus = JSON.parse((await app.ask('GET', '/system/function/fn')).text);
  const noted = [one, ...list].map(({ name, conditions }) => [name, conditions?.filter(({ type }) => type === 'TimedOut') ?? []]);
  const condition = {
    type: 'TimedOut',
    status: 'True',
    reason: 'Timeout',
    message: '2 calls were cut at the time limit, the last at 1970-01-01T00:00:00.000Z: within 1s',
    lastTransitionTime: '1970-01-01T00:00:00.000Z',
  };
  assert.deepEqual(Object.fromEntries(noted), { fn: [condition], other: [] });
  assert.equal(one.conditions?.at(-1)?.type, 'TimedOut');
});

test('fact 64: names and images that cannot be are 400', async (t) => {
  const app = await startApp(t);
  for (const service of ['My_Fn', 'fn.a', '-fn', 'fn-', '']) {
    const answer = await app.ask('POST', '/system/functions', { service, image });
    assert.equal(answer.status, 400, service);
    assert.match(answer.text, new RegExp(`^service: expected .*, got ${JSON.stringify(service)}\n$`));
  }
  const answer = await app.ask('POST', '/system/functions', { service: 'fn', image: '' });
  assert.deepEqual([answer.status, answer.text], [400, 'image: expected an image name, got ""\n']);
});

test('fact 65: a missing secret and a quantity that is none are 400 and named', async (t) => {
  const app = await startApp(t);
  const secret = await app.ask('POST', '/system/functions', { ...deployment, secrets: ['token'] });
  assert.equal(secret.status, 400);
  assert.match(secret.text, /token/);
  const quantity = await app.ask('POST', '/system/functions', { ...deployment, limits: { memory: 'lots' } });
  assert.equal(quantity.status, 400);
  assert.match(quantity.text, /^limits\.memory: expected an amount of memory such as 128Mi, got "lots"/);
  assert.equal(JSON.parse((await app.ask('GET', '/system/functions')).text).length, 0);
});

test('fact 66: a deployment of a function that exists is 409', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  const answer = await app.ask('POST', '/system/functions', deployment);
  assert.deepEqual([answer.status, answer.headers['x-error-code']], [409, 'conflict']);
});

test('facts 67 and 68: an update of an unknown function is 404, of a known one 202', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('PUT', '/system/functions', deployment)).status, 404);
  await app.ask('POST', '/system/functions', deployment);
  const answer = await app.ask('PUT', '/system/functions', { ...deployment, image: 'echo:2' });
  assert.deepEqual([answer.status, answer.text], [202, '']);
  assert.equal(JSON.parse((await app.ask('GET', '/system/function/fn')).text).image, 'echo:2');
});

test('fact 69: an update keeps the replicas, unless the labels have a minimum', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  await app.ask('POST', '/system/scale-function/fn', { replicas: 3 });
  const replicas = async () => JSON.parse((await app.ask('GET', '/system/function/fn')).text).replicas;
  await app.ask('PUT', '/system/functions', { ...deployment, annotations: { a: 'b' } });
  assert.equal(await replicas(), 3);
  await app.ask('PUT', '/system/functions', { ...deployment, labels: { 'com.openfaas.scale.min': '2' } });
  assert.equal(await replicas(), 2);
});

test('fact 70: a removal is 202, of an unknown function 404, of no name 400', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  assert.equal((await app.ask('DELETE', '/system/functions', { functionName: '' })).status, 400);
  const answer = await app.ask('DELETE', '/system/functions', { functionName: 'fn' });
  assert.deepEqual([answer.status, answer.text], [202, '']);
  assert.equal((await app.ask('DELETE', '/system/functions', { functionName: 'fn' })).status, 404);
  assert.equal((await app.ask('GET', '/system/functions')).text, '[]');
});

test('fact 71: a removal takes the namespace from the body and from the query', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/namespace/', { name: 'other' });
  for (const [path, body] of [
    ['/system/functions', { functionName: 'fn', namespace: 'other' }],
    ['/system/functions?namespace=other', { functionName: 'fn' }],
  ] as const) {
    assert.equal((await app.ask('POST', '/system/functions', { ...deployment, namespace: 'other' })).status, 202);
    assert.equal((await app.ask('DELETE', path, body)).status, 202);
    assert.equal((await app.ask('GET', '/system/functions?namespace=other')).text, '[]');
  }
});

test('fact 73: unknown and deprecated keys and null are accepted', async (t) => {
  const app = await startApp(t);
  const body = { ...deployment, network: 'x', registryAuth: 'y', labels: null, annotations: null, whatever: [1] };
  assert.equal((await app.ask('POST', '/system/functions', body)).status, 202);
});

test('facts 74 to 82: the list has what was deployed and leaves out what is empty', async (t) => {
  const app = await startApp(t);
  const empty = await app.ask('GET', '/system/functions');
  assert.deepEqual([empty.status, empty.headers['content-type'], empty.text], [200, 'application/json', '[]']);
  for (const name of ['b', 'a']) await app.ask('POST', '/system/secrets', { name, value: 'x' });
  const full = {
    service: 'full',
    image: 'echo:1.10',
    envProcess: 'node index.js',
    envVars: { K: 'v' },
    constraints: ['a=b'],
    secrets: ['b', 'a'],
    labels: { l: '1' },
    annotations: { json: '{\n "a": 1\n}' },
    limits: { memory: '5Mi', cpu: '100m' },
    readOnlyRootFilesystem: true,
  };
  assert.equal((await app.ask('POST', '/system/functions', full)).status, 202);
  assert.equal((await app.ask('POST', '/system/functions', { ...deployment, labels: {} })).status, 202);
  await app.ask('POST', '/system/scale-function/fn', { replicas: 0 });
  const list: Record<string, unknown>[] = JSON.parse((await app.ask('GET', '/system/functions')).text);
  const found = list.find((each) => each.name === 'full');
  assert.ok(found !== undefined);
  assert.equal(found.image, 'echo:1.10');
  assert.equal(found.envProcess, 'node index.js');
  assert.deepEqual(found.envVars, { K: 'v' });
  assert.deepEqual(found.secrets, ['a', 'b']);
  assert.deepEqual(found.labels, { l: '1', faas_function: 'full' });
  assert.deepEqual(found.annotations, { json: '{\n "a": 1\n}' });
  assert.deepEqual(found.limits, { memory: '5Mi', cpu: '100m' });
  assert.equal('requests' in found, false);
  assert.match(String(found.createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  const bare = list.find((each) => each.name === 'fn');
  assert.ok(bare !== undefined);
  for (const key of ['replicas', 'availableReplicas', 'invocationCount', 'envVars', 'limits', 'requests', 'secrets']) {
    assert.equal(key in bare, false, key);
  }
});

test('fact 83: an unknown function is 404', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/function/fn?namespace=openfaas-fn');
  assert.deepEqual([answer.status, answer.text], [404, 'function fn not found in namespace openfaas-fn\n']);
});

test('fact 84: usage is there for who asks', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  for (const [query, expected] of [
    ['?usage=1', true],
    ['?usage=true', true],
    ['?usage=false', false],
    ['', false],
  ] as const) {
    const status = JSON.parse((await app.ask('GET', `/system/function/fn${query}`)).text);
    assert.equal('usage' in status, expected, query);
  }
});

test('facts 85 and 136: the list counts invocations, the status does not', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  app.counts.set('fn.openfaas-fn', 7);
  assert.equal(JSON.parse((await app.ask('GET', '/system/functions')).text)[0].invocationCount, 7);
  assert.equal('invocationCount' in JSON.parse((await app.ask('GET', '/system/function/fn')).text), false);
});

test('fact 86: a list of an unknown namespace is 400', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('GET', '/system/functions?namespace=none')).status, 400);
});

test('fact 87: the 16th function is as welcome as the first', async (t) => {
  const app = await startApp(t);
  for (let index = 0; index < 20; index += 1) {
    const body = { service: `fn-${index}`, image, labels: { 'com.openfaas.scale.min': '1' } };
    assert.equal((await app.ask('POST', '/system/functions', body)).status, 202);
  }
  assert.equal(JSON.parse((await app.ask('GET', '/system/functions')).text).length, 20);
});

test('facts 88 and 89: several topics and the labels of automatic scaling are accepted', async (t) => {
  const app = await startApp(t);
  const body = {
    ...deployment,
    annotations: { topic: 'a,b' },
    labels: {
      'com.openfaas.scale.zero': 'true',
      'com.openfaas.scale.zero-duration': '5m',
      'com.openfaas.scale.target': '10',
      'com.openfaas.scale.type': 'capacity',
    },
  };
  assert.equal((await app.ask('POST', '/system/functions', body)).status, 202);
});

test('facts 90, 92, 93 and 96: any number of replicas is shown at once, 0 included', async (t) => {
  const app = await startApp(t);
  const replicas = async () => JSON.parse((await app.ask('GET', '/system/function/fn')).text).replicas ?? 0;
  await app.ask('POST', '/system/functions', { ...deployment, labels: { 'com.openfaas.scale.min': '2' } });
  assert.equal(await replicas(), 2);
  for (const wanted of [3, 0, 7]) {
    const answer = await app.ask('POST', '/system/scale-function/fn', { serviceName: 'fn', replicas: wanted });
    assert.deepEqual([answer.status, answer.text], [202, '']);
    assert.equal(await replicas(), wanted);
  }
});

test('fact 91: replicas that are no number are 400 and named', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/functions', deployment);
  for (const replicas of [-1, 1.5, '2', null]) {
    const answer = await app.ask('POST', '/system/scale-function/fn', { replicas });
    assert.equal(answer.status, 400, String(replicas));
    assert.match(answer.text, /^replicas: expected /);
  }
});

test('fact 94: scaling takes the namespace from the body and from the query', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/namespace/', { name: 'other' });
  await app.ask('POST', '/system/functions', { ...deployment, namespace: 'other' });
  const replicas = async () => JSON.parse((await app.ask('GET', '/system/function/fn?namespace=other')).text).replicas;
  await app.ask('POST', '/system/scale-function/fn', { replicas: 2, namespace: 'other' });
  assert.equal(await replicas(), 2);
  await app.ask('POST', '/system/scale-function/fn?namespace=other', { replicas: 3 });
  assert.equal(await replicas(), 3);
});

test('fact 95: scaling an unknown function is 404', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('POST', '/system/scale-function/fn', { replicas: 2 })).status, 404);
});

test('a list of 10,000 functions lets other work through', async (t) => {
  const app = await startApp(t);
  const many = Array.from(
    { length: 10_000 },
    (_, index): FunctionStatus => ({
      name: `function-${index}`,
      image: `echo:${index}`,
      namespace: 'openfaas-fn',
      labels: { faas_function: `function-${index}`, 'com.openfaas.scale.min': '1' },
      envVars: { A: 'b', C: 'd' },
      replicas: 1,
      availableReplicas: 1,
      createdAt: '2026-01-02T03:04:05Z',
    }),
  );
  t.mock.method(app.provider, 'list', async () => many);
  const list = await app.ask('GET', '/system/functions');
  assert.equal(JSON.parse(list.text).length, 10_000);
  const { result, longestMs } = await longestTurnOfThree(() => drain(`${app.url}/system/functions`, { authorization }));
  t.diagnostic(`${(result / 1e6).toFixed(1)} MB; longest turn ${longestMs} ms`);
  assert.equal(result, list.body.length);
  assert.ok(longestMs < 10, `${longestMs} ms`);
});

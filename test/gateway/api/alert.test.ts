import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaasError } from '../../../provider/types/errors.ts';
import { type AppUnderTest, startApp } from '../app-under-test.ts';

const deploy = (app: AppUnderTest, service: string, labels: Record<string, string> = {}, namespace?: string) =>
  app.ask('POST', '/system/functions', { service, image: 'echo:1', labels, namespace });

const replicas = async (app: AppUnderTest, name: string, query = ''): Promise<number> =>
  JSON.parse((await app.ask('GET', `/system/function/${name}${query}`)).text).replicas ?? 0;

const alert = (app: AppUnderTest, status: string, ...names: string[]) =>
  app.ask('POST', '/system/alert', {
    receiver: 'scale-up',
    alerts: names.map((name) => ({ status, labels: { alertname: 'APIHighInvocationRate', function_name: name } })),
  });

test('facts 97 and 99: a firing alert adds replicas, a resolved one goes back to the minimum', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn', { 'com.openfaas.scale.max': '5' });
  const fired = await alert(app, 'firing', 'fn.openfaas-fn');
  assert.deepEqual([fired.status, fired.text], [200, '']);
  assert.equal(await replicas(app, 'fn'), 2);
  await alert(app, 'resolved', 'fn.openfaas-fn');
  assert.equal(await replicas(app, 'fn'), 1);
});

test('fact 102: several alerts scale their functions, unknown ones are passed over', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'a');
  await deploy(app, 'b');
  const answer = await alert(app, 'firing', 'none.openfaas-fn', 'a.openfaas-fn', 'x.nowhere', 'b.openfaas-fn');
  assert.equal(answer.status, 200);
  assert.deepEqual([await replicas(app, 'a'), await replicas(app, 'b')], [3, 3]);
});

test('fact 104: the namespace is after the last dot, without one the default', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/namespace/', { name: 'other' });
  await deploy(app, 'fn');
  await deploy(app, 'fn', {}, 'other');
  await alert(app, 'firing', 'fn');
  assert.deepEqual([await replicas(app, 'fn'), await replicas(app, 'fn', '?namespace=other')], [3, 1]);
  await alert(app, 'firing', 'fn.other');
  assert.deepEqual([await replicas(app, 'fn'), await replicas(app, 'fn', '?namespace=other')], [3, 3]);
});

test('facts 93 and 110: replicas stop at the maximum, without a ceiling of 5, and nothing is asked for twice', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn', { 'com.openfaas.scale.max': '8', 'com.openfaas.scale.factor': '100' });
  await alert(app, 'firing', 'fn');
  assert.equal(await replicas(app, 'fn'), 8);
  await alert(app, 'firing', 'fn');
  assert.equal(app.provider.count('scale'), 1);
});

test('fact 101: a factor of 0 leaves the function alone', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn', { 'com.openfaas.scale.factor': '0' });
  await app.ask('POST', '/system/scale-function/fn', { replicas: 4 });
  await alert(app, 'firing', 'fn');
  assert.equal(await replicas(app, 'fn'), 4);
});

test('alerts for a function that is scaled automatically are answered, logged and ignored', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn', { 'com.openfaas.scale.target': '10' });
  assert.equal((await alert(app, 'firing', 'fn')).status, 200);
  assert.equal(await replicas(app, 'fn'), 1);
  assert.ok(app.lines.some((line) => 'fn' in line && line.fn === 'fn.openfaas-fn'));
});

test('one function that cannot be scaled does not keep the others from it, and is named in a 500', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'a');
  await deploy(app, 'b');
  app.provider.failNext('scale', new FaasError('unavailable', 'disk full'));
  const answer = await alert(app, 'firing', 'a', 'b');
  assert.deepEqual([answer.status, answer.text], [500, '[0] a: disk full\n']);
  assert.equal(await replicas(app, 'b'), 3);
});

test('an alert without alerts or without a function is fine', async (t) => {
  const app = await startApp(t);
  for (const body of [
    {},
    { alerts: [] },
    { alerts: null },
    { alerts: [{ status: 'firing', labels: {} }, { status: 'firing' }] },
  ]) {
    assert.equal((await app.ask('POST', '/system/alert', body)).status, 200, JSON.stringify(body));
  }
  assert.equal((await app.ask('POST', '/system/alert', { alerts: 'all' })).status, 400);
});

/** What Alertmanager sends, by the version of the payload. */
const payloads: Readonly<Record<string, (name: string) => object>> = {
  'version 4': (name) => ({
    version: '4',
    groupKey: '{}:{alertname="APIHighInvocationRate", service="gateway"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'scale-up',
    groupLabels: { alertname: 'APIHighInvocationRate' },
    commonLabels: { alertname: 'APIHighInvocationRate', function_name: name },
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'APIHighInvocationRate', function_name: name, service: 'gateway', severity: 'major' },
        annotations: { description: `High invocation total on ${name}` },
        startsAt: '2026-01-02T03:04:05.678Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus:9090/graph',
        fingerprint: '9a1b2c3d4e5f6071',
      },
    ],
  }),
  'version 3': (name) => ({
    version: '3',
    groupKey: 1234567890123456789n.toString(),
    status: 'firing',
    receiver: 'scale-up',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager:9093',
    alerts: [{ status: 'firing', labels: { function_name: name }, annotations: {}, startsAt: 'x', endsAt: 'x' }],
  }),
  'version 3 with its number as a number': (name) => ({
    version: '3',
    groupKey: 18446744073709552000,
    alerts: [{ status: 'firing', labels: { function_name: name } }],
  }),
  'nothing but what is needed': (name) => ({ alerts: [{ status: 'firing', labels: { function_name: name } }] }),
};

for (const [what, payload] of Object.entries(payloads)) {
  test(`an alert scales its function: ${what}`, async (t) => {
    const app = await startApp(t);
    await deploy(app, 'fn');
    const { status, text } = await app.ask('POST', '/system/alert', payload('fn.openfaas-fn'));
    assert.deepEqual([status, text, await replicas(app, 'fn')], [200, '', 3]);
    assert.deepEqual(app.scalings, ['fn.openfaas-fn alert']);
  });
}

test('garbage among the alerts keeps no function from being scaled', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'a');
  await deploy(app, 'b');
  const good = (name: string) => ({ status: 'firing', labels: { function_name: name } });
  const garbage = [null, 7, 'firing', [], {}, { status: 'firing' }, { status: 7, labels: { function_name: 'a' } }];
  const names = ['', '.', '..', 'a.', '.openfaas-fn', 'A', '../a', 'a/b', 'a\n', '%61', 'x'.repeat(5000), 7, null, ['a'], {}];
  const alerts = [
    ...garbage,
    good('a'),
    ...names.map((each) => ({ status: 'firing', labels: { function_name: each } })),
    good('b'),
  ];
  const answer = await app.ask('POST', '/system/alert', { alerts });
  assert.deepEqual([answer.status, answer.text], [200, '']);
  assert.deepEqual([await replicas(app, 'a'), await replicas(app, 'b')], [3, 3]);
  assert.equal(app.provider.count('scale'), 2);
});

test('several alerts for one function are taken one after the other, as they stand', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn');
  await alert(app, 'firing', 'fn', 'fn.openfaas-fn');
  assert.equal(await replicas(app, 'fn'), 5);
  const both = [
    { status: 'firing', labels: { function_name: 'fn' } },
    { status: 'resolved', labels: { function_name: 'fn' } },
  ];
  await app.ask('POST', '/system/alert', { alerts: both });
  assert.equal(await replicas(app, 'fn'), 1);
});

test('a notification that comes again because one function failed scales only that one', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'a');
  await deploy(app, 'b');
  const body = {
    version: '4',
    groupKey: '{}:{alertname="x"}',
    alerts: ['a', 'b'].map((name) => ({ status: 'firing', labels: { function_name: name }, startsAt: '2026-01-02T03:04:05Z' })),
  };
  app.provider.failNext('scale', new FaasError('unavailable', 'disk full'));
  assert.equal((await app.ask('POST', '/system/alert', body)).status, 500);
  assert.deepEqual([await replicas(app, 'a'), await replicas(app, 'b')], [1, 3]);
  assert.equal((await app.ask('POST', '/system/alert', body)).status, 200);
  assert.deepEqual([await replicas(app, 'a'), await replicas(app, 'b')], [3, 3]);
  // From here on it is a repetition: the load goes on.
  assert.equal((await app.ask('POST', '/system/alert', body)).status, 200);
  assert.deepEqual([await replicas(app, 'a'), await replicas(app, 'b')], [5, 5]);
});

test('the end of an alert wakes no function that sleeps', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn');
  await app.ask('POST', '/system/scale-function/fn', { replicas: 0 });
  await alert(app, 'resolved', 'fn');
  assert.equal(await replicas(app, 'fn'), 0);
  await alert(app, 'firing', 'fn');
  assert.equal(await replicas(app, 'fn'), 2);
});

test('alerts are taken from those who may scale only', async (t) => {
  const app = await startApp(t);
  await deploy(app, 'fn');
  const body = { alerts: [{ status: 'firing', labels: { function_name: 'fn' } }] };
  assert.equal((await app.ask('POST', '/system/alert', body, { Authorization: 'Basic d3Jvbmc6d3Jvbmc=' })).status, 401);
  assert.equal(await replicas(app, 'fn'), 1);
});

// Scaling by alerts with the real programs of it: the shipped rules in Prometheus, the shipped routes in Alertmanager.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeHandlerBundle } from '../helpers/bundle.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { startLoad } from '../helpers/load.ts';
import { loggingSteps, stepsOf, untilSteps } from './alert-steps.ts';
import { missing } from './component.ts';
import { type Monitoring, monitoringPrograms, startMonitoring } from './monitoring.ts';

const skip = missing(monitoringPrograms);

const source = `export const handler = async (request) => new Response('v1\\n' + (await request.text()));`;

const readyOf = async (gateway: RunningGateway, name: string): Promise<number> => {
  const { text } = await gateway.control('GET', `/system/function/${name}`);
  return (JSON.parse(text) as { availableReplicas?: number }).availableReplicas ?? 0;
};

test('fact 139: load raises the replicas step by step to the maximum, and its end brings them back to the minimum', {
  skip,
}, async (t) => {
  const gateway = await startGateway(t, { args: loggingSteps });
  const labels = {
    'com.openfaas.scale.min': '1',
    'com.openfaas.scale.max': '6',
    'com.openfaas.scale.factor': '25',
  };
  await gateway.deployHandler('busy', source, { labels });
  await gateway.deployHandler('calm', source, { labels });
  const monitoring = await startMonitoring(t, gateway);

  const load = await startLoad(t, {
    target: { host: '127.0.0.1', port: gateway.port },
    path: '/function/busy',
    ratePerS: 20,
  });
  const atMaximum = async (): Promise<boolean> => (await readyOf(gateway, 'busy')) === 6;
  await eventually(atMaximum, { what: 'six replicas of busy', timeoutMs: 90_000, intervalMs: 100 });
  // A quarter of the maximum, rounded up, a step.
  await untilSteps(gateway, 'busy.openfaas-fn', ['1→3', '3→5', '5→6']);

  const delivered = async (): Promise<number> => {
    const text = await (await fetch(`${monitoring.alertmanagerUrl}/metrics`)).text();
    return Number(/^alertmanager_notifications_total\{integration="webhook"\} (\d+)/m.exec(text)?.[1] ?? 0);
  };
  const before = await delivered();
  const told = async (): Promise<boolean> => (await delivered()) >= before + 2;
  await eventually(told, { what: 'two more notifications at the maximum', timeoutMs: 30_000, intervalMs: 100 });
  assert.equal(await readyOf(gateway, 'busy'), 6);
  const [alert] = await monitoring.query('ALERTS{alertname="APIHighInvocationRate",alertstate="firing"}');
  assert.deepEqual(
    { ...alert?.labels, __name__: undefined },
    {
      __name__: undefined,
      alertname: 'APIHighInvocationRate',
      alertstate: 'firing',
      function_name: 'busy.openfaas-fn',
      service: 'gateway',
      severity: 'major',
    },
  );

  const { failures, sent } = await load.stop();
  assert.ok(sent > 100, `only ${sent} calls`);
  assert.deepEqual(failures, [], 'no call fails while replicas come');
  const atMinimum = async (): Promise<boolean> => (await readyOf(gateway, 'busy')) === 1;
  await eventually(atMinimum, { what: 'one replica of busy', timeoutMs: 60_000, intervalMs: 100 });
  await untilSteps(gateway, 'busy.openfaas-fn', ['1→3', '3→5', '5→6', '6→1']);
  assert.deepEqual(stepsOf(gateway, 'calm.openfaas-fn'), [], 'a function without load is left alone');
  const answer = await gateway.call('busy', { method: 'POST', body: 'Ada' });
  assert.equal(answer.text, 'v1\nAda');
});

/** A function that keeps ending answers in between, so this one comes and goes. */
const flickers = 'FunctionNotReady crashing';

/** Of all alerts that fire, such as `FunctionErrorRateHigh broken`. */
const firing = async (monitoring: Monitoring): Promise<string[]> => {
  const samples = await monitoring.query('ALERTS{alertstate="firing"}');
  const names = samples.map(({ labels: { alertname, function_name: name = '' } }) => `${alertname} ${name.split('.')[0]}`.trim());
  return names.filter((each) => each !== flickers).sort();
};

const slowly = (ms: number): string => `
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, ${ms}));
  return new Response('done');
};`;

const deployTroubled = async (gateway: RunningGateway): Promise<void> => {
  await gateway.deployHandler('fine', source);
  await gateway.deployHandler('broken', `export const handler = () => new Response('no', { status: 500 });`);
  await gateway.deployHandler('slow', slowly(5500));
  const annotations = { 'sluice.dev/max-inflight': '1', 'sluice.dev/max-queue': '0' };
  await gateway.deployHandler('narrow', slowly(300), { annotations });
  await gateway.deployHandler('grown', source, { labels: { 'com.openfaas.scale.max': '2' } });
  await gateway.control('POST', '/system/scale-function/grown', { serviceName: 'grown', replicas: 2 });
  const crashing = `setTimeout(() => process.exit(1), 1000); export const handler = () => new Response('for now');`;
  await gateway.deployHandler('crashing', crashing);
  const bundle = await makeHandlerBundle('stuck', `throw new Error('not today'); export const handler = () => undefined;`);
  await gateway.control('PUT', `/system/bundles/${bundle.digest}`, bundle.bytes);
  await gateway.control('POST', '/system/functions', { service: 'stuck', image: bundle.image });
};

test('alerts for people fire for what fails, ends, is slow or refuses, and scale nothing', { skip }, async (t) => {
  const gateway = await startGateway(t, { args: ['--log-level', 'info', '--log-format', 'json', '--drain-timeout', '1s'] });
  await deployTroubled(gateway);
  const monitoring = await startMonitoring(t, gateway, { scrapeEvery: '1s', patience: '2s' });
  const whenCalled = ['FunctionErrorRateHigh broken', 'FunctionLatencyHigh slow', 'FunctionSaturated narrow'];
  const anyway = ['FunctionAtMaximum grown', 'FunctionCrashLoop crashing', 'FunctionNotReady stuck'];
  const untilFiring = async (wanted: readonly string[]): Promise<void> => {
    const list = [...wanted].sort().join(', ');
    const same = async (): Promise<boolean> => (await firing(monitoring)).join(', ') === list;
    await eventually(same, { what: `firing: ${list}`, timeoutMs: 60_000, intervalMs: 200 }).catch(async (error: Error) => {
      throw new Error(`${error.message}; firing now: ${(await firing(monitoring)).join(', ')}`);
    });
  };
  await untilFiring(anyway);

  // Twice each: a counter begins with its first value, and has a rate from the second one on.
  const scrapes = async (): Promise<number> => (await monitoring.query('scrape_samples_scraped{app="gateway"}'))[0]?.value ?? 0;
  const callAll = (): Promise<unknown> =>
    Promise.all(['fine', 'broken', 'narrow', 'narrow', 'slow'].map((name) => gateway.call(name)));
  const before = await scrapes();
  await callAll();
  await eventually(async () => (await scrapes()) > before, { what: 'the new series are scraped', timeoutMs: 30_000 });
  await callAll();
  await untilFiring([...anyway, ...whenCalled]);
  for (const name of ['fine', 'broken', 'slow', 'narrow', 'grown', 'crashing', 'stuck']) {
    assert.deepEqual(stepsOf(gateway, `${name}.openfaas-fn`), [], name);
  }

  await gateway.kill();
  const isDown = async (): Promise<boolean> => (await firing(monitoring)).includes('GatewayDown');
  await eventually(isDown, { what: 'firing: GatewayDown', timeoutMs: 60_000, intervalMs: 200 });
});

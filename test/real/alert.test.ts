// Scaling by alerts with the real programs of it: the shipped rules in Prometheus, the shipped routes in Alertmanager.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { startLoad } from '../helpers/load.ts';
import { missing } from './component.ts';
import { monitoringPrograms, startMonitoring } from './monitoring.ts';

const skip = missing(monitoringPrograms);

const source = `export const handler = async (request) => new Response('v1\\n' + (await request.text()));`;

type Scaling = { readonly fn: string; readonly from: number; readonly to: number; readonly firing: boolean };

/** What the gateway logged of the alerts it obeyed, as `1→3`. */
const stepsOf = (gateway: RunningGateway, fn: string): string[] =>
  gateway
    .program()
    .stderr()
    .split('\n')
    .filter((line) => line.includes('"scaled by alert"'))
    .map((line) => JSON.parse(line) as Scaling)
    .filter((each) => each.fn === fn)
    .map(({ from, to }) => `${from}→${to}`);

const readyOf = async (gateway: RunningGateway, name: string): Promise<number> => {
  const { text } = await gateway.control('GET', `/system/function/${name}`);
  return (JSON.parse(text) as { availableReplicas?: number }).availableReplicas ?? 0;
};

test('load raises the replicas step by step to the maximum, and its end brings them back to the minimum', { skip }, async (t) => {
  const gateway = await startGateway(t, { args: ['--log-level', 'info', '--log-format', 'json'] });
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
  assert.deepEqual(stepsOf(gateway, 'busy.openfaas-fn'), ['1→3', '3→5', '5→6'], 'a quarter of the maximum, rounded up, a step');

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
  assert.deepEqual(stepsOf(gateway, 'busy.openfaas-fn'), ['1→3', '3→5', '5→6', '6→1']);
  assert.deepEqual(stepsOf(gateway, 'calm.openfaas-fn'), [], 'a function without load is left alone');
  const answer = await gateway.call('busy', { method: 'POST', body: 'Ada' });
  assert.equal(answer.text, 'v1\nAda');
});

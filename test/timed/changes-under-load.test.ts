// What an operator does to a function while it is called from outside, 200 times a second, half on fresh connections.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeHandlerBundle } from '../helpers/bundle.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { startLoad, versionSpans } from '../helpers/load.ts';

const source = (version: string): string =>
  `export const handler = async (request) => new Response('${version}\\n' + await request.text());`;

const readyCount = async (gateway: RunningGateway): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text();
  return Number(/^gateway_service_ready_count\{function_name="fn\.openfaas-fn"\} (\d+)$/m.exec(text)?.[1] ?? 0);
};

const scale = async (gateway: RunningGateway, replicas: number): Promise<void> => {
  const { status } = await gateway.control('POST', '/system/scale-function/fn', { serviceName: 'fn', replicas });
  assert.equal(status, 202);
  await eventually(async () => (await readyCount(gateway)) === replicas, {
    what: `${replicas} replicas`,
    timeoutMs: 30_000,
    intervalMs: 50,
  });
};

const underLoad = async (t: TestContext, change: (gateway: RunningGateway) => Promise<void>) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', source('v1'));
  await scale(gateway, 5);
  const load = await startLoad(t, {
    target: { host: '127.0.0.1', port: gateway.port },
    path: '/function/fn',
    ratePerS: 200,
    timeoutMs: 20_000,
  });
  await delay(500);
  await change(gateway);
  await delay(500);
  const result = await load.stop();
  assert.deepEqual(result.failures, []);
  assert.ok(result.answers.length === result.sent && result.sent > 200, `${result.answers.length} of ${result.sent}`);
  return versionSpans(result.answers);
};

test('scaling from 5 to 1 to 5 under load fails no call', async (t) => {
  await underLoad(t, async (gateway) => {
    await scale(gateway, 1);
    await delay(300);
    await scale(gateway, 5);
  });
});

test('an update under load fails no call, and after the first new answer no new call gets an old one', async (t) => {
  const spans = await underLoad(t, async (gateway) => {
    const bundle = await makeHandlerBundle('fn', source('v2'));
    await gateway.deploy('fn', bundle);
    await eventually(async () => (await gateway.call('fn')).text.startsWith('v2'), { what: 'the new version' });
  });
  assert.deepEqual(
    spans.map(({ version }) => version),
    ['v1', 'v2'],
  );
  const [before, after] = spans;
  assert.ok(before!.lastSentMs <= after!.firstAnsweredMs + 20, `${before!.lastSentMs - after!.firstAnsweredMs} ms`);
});

test('the same deployed again and again, with and without a change, fails no call', async (t) => {
  await underLoad(t, async (gateway) => {
    const bundle = await makeHandlerBundle('fn', source('v1'));
    for (let i = 0; i < 3; i += 1) await gateway.deploy('fn', bundle, { envVars: { TURN: String(i >> 1) } });
  });
});

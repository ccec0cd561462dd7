// The API server goes away and comes back while functions are called.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../helpers/call.ts';
import { eventually } from '../helpers/eventually.ts';
import { type ApiServer, breakable, findCluster } from './cluster.ts';
import { answering, put, scale, startClusterGateway, underLoad } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster, podsReady } from './objects.ts';

const found = await findCluster();
const skip =
  'missing' in found
    ? found.missing
    : found.cluster.apiServer === undefined
      ? 'only where the API server is ours to stop, which it is not on the cluster of KUBECONFIG'
      : false;

const outageMs = 120_000;

const setTheScene = async (t: TestContext, replicas: number) => {
  if ('missing' in found || found.cluster.apiServer === undefined) throw new Error('skipped');
  const cluster = await emptyCluster(t, found);
  const apiServer: ApiServer = breakable(t, found.cluster.apiServer);
  const gateway = await startClusterGateway(t, cluster);
  const image = await functionImage(cluster, 'version');
  await put(gateway, { service: 'fn', image, labels: { 'com.openfaas.scale.min': String(replicas) } });
  await answering(gateway, 'fn', replicas);
  return { cluster, gateway, image, apiServer };
};

test('a restart of the API server loses no call, and the gateway sees changes again', { skip }, async (t) => {
  const { cluster, gateway, apiServer } = await setTheScene(t, 2);
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    await apiServer.stop();
    await apiServer.start();
    await scale(gateway, 'fn', 3);
    await answering(gateway, 'fn', 3);
    await podsReady(cluster, 'fn', 3);
  });
});

test('calls go on while the API server is away for two minutes; 5 s after its return the table is true', { skip }, async (t) => {
  const { cluster, gateway, image, apiServer } = await setTheScene(t, 2);
  const metric = async (name: string): Promise<number | undefined> => {
    const { text } = await call(`http://127.0.0.1:${gateway.metricsPort}`, { path: '/metrics' });
    const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  await underLoad(t, { gateway, name: 'fn' }, async () => {
    await apiServer.stop();
    const stoppedMs = performance.now();
    const refused = await gateway.control('PUT', '/system/functions', { service: 'fn', image });
    assert.ok([500, 503, 504].includes(refused.status), `${refused.status} ${refused.text}`);
    await sleep(outageMs - (performance.now() - stoppedMs));
    await assert.rejects(cluster.kubectl(['get', '--raw', '/readyz', '--request-timeout=2s']), /refused/);
    assert.ok(((await metric('sluice_provider_stale_seconds')) ?? 0) > 60, 'the metrics say how old the table is');
    await apiServer.start();
    const backMs = performance.now();
    // A change that only a table which follows again can show.
    await cluster.kubectl(['scale', '-n', 'openfaas-fn', 'deployment', 'fn', '--replicas=3']);
    await eventually(async () => JSON.parse((await gateway.control('GET', '/system/function/fn')).text).replicas === 3, {
      what: 'the gateway shows the new number',
      timeoutMs: 5000,
    });
    t.diagnostic(`true ${Math.round(performance.now() - backMs)} ms after the API server was back`);
    await answering(gateway, 'fn', 3);
  });
});

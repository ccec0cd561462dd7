// The whole gateway on an API server that goes away: calls go on, and it says how old its knowledge is.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type Gateway, startGateway } from '../../../gateway/main.ts';
import { call } from '../../helpers/call.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { type FakeKubeApi, startKubeApi } from './kube-api.ts';
import { collections, kubeconfig, namespace, openNamespace } from './rig.ts';

const start = async (
  t: TestContext,
): Promise<{ gateway: Gateway; api: FakeKubeApi; ask: (path: string) => ReturnType<typeof call> }> => {
  const api = await startKubeApi(t);
  api.put(openNamespace(namespace), collections.namespaces);
  const dataDir = await makeTmpDir(t);
  const file = join(dataDir, 'kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig(api.url)));
  const argv = ['--port=0', '--metrics-port=0', '--data-dir', dataDir, '--provider=kubernetes', '--kubeconfig', file];
  const starting = startGateway({ argv: [...argv, '--reach=direct'], env: {}, log: pino({ level: 'silent' }) });
  const gateway = await within(starting, 'the gateway', 30_000);
  onEnd(t, () => within(gateway.close(), 'the end of the gateway'));
  const { user, password } = gateway.credentials ?? assert.fail('no credentials');
  const headers = { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  return { gateway, api, ask: (path) => call(gateway.url, { path, headers }) };
};

const staleSeconds = async (gateway: Gateway): Promise<number> => {
  const { text } = await call(gateway.metricsUrl, { path: '/metrics' });
  return Number(/^sluice_provider_stale_seconds ([\d.e-]+)$/m.exec(text)?.[1]);
};

test('staleness is in the metrics and beside readiness, and ends when the API server is back', async (t) => {
  const { gateway, api, ask } = await start(t);
  await eventually(async () => (await staleSeconds(gateway)) === 0, { what: 'watches' });
  const health = await ask('/healthz');
  assert.deepEqual([health.status, health.headers['x-provider-stale-seconds']], [200, undefined]);
  await api.stop();
  await eventually(async () => (await staleSeconds(gateway)) > 0, { what: 'staleness in the metrics' });
  const stale = await ask('/healthz');
  assert.equal(stale.status, 200, 'it stays ready');
  assert.match(String(stale.headers['x-provider-stale-seconds']), /^\d+\.\d$/);
  assert.equal((await ask('/system/functions')).status, 200, 'what is known is shown');
  await api.start();
  await eventually(async () => (await staleSeconds(gateway)) === 0, { what: 'a true view' });
  assert.equal((await ask('/healthz')).headers['x-provider-stale-seconds'], undefined);
});

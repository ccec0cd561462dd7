// What the API server holds of a full specification is what the contract sheet says, and a function that no node fits says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../helpers/eventually.ts';
import { deployment, service, spec } from '../provider/kubernetes/golden.ts';
import { findCluster } from './cluster.ts';
import { put, startClusterGateway, statusOf } from './gateway.ts';
import { emptyCluster, functionNamespace, getJson } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

/** Where `live` is not what is wanted. It may have more keys: the API server fills in defaults, and leaves out what is false. */
const differences = (wanted: unknown, live: unknown, path: string): string[] => {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return [`${path}: ${JSON.stringify(live)}`];
    return wanted.flatMap((each, index) => differences(each, live[index], `${path}[${index}]`));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const there = (live ?? {}) as Record<string, unknown>;
    return Object.entries(wanted).flatMap(([key, each]) => differences(each, there[key], `${path}.${key}`));
  }
  return (live ?? false) === (wanted ?? false) ? [] : [`${path}: ${JSON.stringify(live)} instead of ${JSON.stringify(wanted)}`];
};

test('a full specification is on the API server as the contract has it; no node fits it, and its status says so', {
  skip,
}, async (t) => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster);
  const n = ['-n', functionNamespace];
  const login = ['--docker-server=registry.example.com', '--docker-username=u', '--docker-password=p'];
  await cluster.kubectl(['create', 'secret', 'docker-registry', ...n, 'registry-login', ...login]);
  for (const name of ['db-password', 'api-key']) {
    const made = await gateway.control('POST', '/system/secrets', { name, value: 'v' });
    assert.equal(made.status, 202, made.text);
  }
  await put(gateway, spec);

  const live = await getJson<{ spec: { template: { spec: { containers: { env: unknown[] }[] } } } }>(
    cluster,
    'deployment',
    ...n,
    spec.service,
  );
  assert.deepEqual(differences(deployment, live, 'deployment'), []);
  assert.deepEqual(differences(service, await getJson(cluster, 'service', ...n, spec.service), 'service'), []);
  const [container] = deployment.spec.template.spec.containers;
  assert.deepEqual(live.spec.template.spec.containers[0]?.env, container?.env, 'and no other variables');

  const condition = await eventually(
    async () => (await statusOf(gateway, spec.service)).conditions?.find(({ reason }) => reason === 'Unschedulable'),
    { what: 'the status says that no node fits', timeoutMs: 30_000 },
  );
  assert.match(condition.message ?? '', /node/);
});

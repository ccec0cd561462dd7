// What Kubernetes refuses reaches the caller with its reason, and leaves nothing half made.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CallAnswer } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { answering, put, startClusterGateway, statusOf } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster, functionNamespace, getJson } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

type Scene = { readonly cluster: Cluster; readonly gateway: RunningGateway; readonly image: string };

const setTheScene = async (t: TestContext): Promise<Scene> => {
  const cluster = await emptyCluster(t, found);
  return { cluster, gateway: await startClusterGateway(t, cluster), image: await functionImage(cluster, 'version') };
};

const create = (gateway: RunningGateway, deployment: object): Promise<CallAnswer> =>
  gateway.control('POST', '/system/functions', deployment);

const apply = (cluster: Cluster, object: object): Promise<string> =>
  cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object));

const quota = (name: string, hard: object): object => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace: functionNamespace },
  spec: { hard },
});

/** A quota counts only once its controller has looked. */
const setQuota = async (cluster: Cluster, hard: Readonly<Record<string, string>>): Promise<void> => {
  await apply(cluster, quota('few', hard));
  await eventually(
    async () => {
      const { status } = await getJson<{ status?: { hard?: object } }>(cluster, 'resourcequota', '-n', functionNamespace, 'few');
      return Object.keys(status?.hard ?? {}).length === Object.keys(hard).length;
    },
    { what: 'the quota counts', timeoutMs: 30_000, intervalMs: 100 },
  );
};

/** The status is one of these, and the message has all the words. */
const refused = (answer: CallAnswer, statuses: readonly number[], ...words: readonly string[]): void => {
  assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
  for (const word of words) assert.ok(answer.text.includes(word), `${answer.text} should name ${word}`);
};

const nothingIsThere = async (cluster: Cluster, name = 'fn'): Promise<void> => {
  const { items } = await getJson<{ items: { kind: string; metadata: { name: string } }[] }>(
    cluster,
    'deployments,services,pods',
    '-n',
    functionNamespace,
  );
  const left = items
    .filter(({ metadata }) => metadata.name.startsWith(name))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.deepEqual(left, []);
};

test('a quota on Deployments refuses the second function with its own words', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  await setQuota(cluster, { 'count/deployments.apps': '1' });
  assert.equal((await create(gateway, { service: 'first', image })).status, 202);
  refused(await create(gateway, { service: 'fn', image }), [403], 'fn', 'exceeded quota', 'count/deployments.apps');
  await nothingIsThere(cluster);
});

test('a quota on Services leaves no Deployment behind', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  await setQuota(cluster, { 'count/services': '0' });
  refused(await create(gateway, { service: 'fn', image }), [403], 'fn', 'exceeded quota');
  await eventually(async () => nothingIsThere(cluster).then(() => true), { what: 'nothing is left', timeoutMs: 30_000 });
  const list = await gateway.control('GET', '/system/functions');
  assert.equal(list.text.trim(), '[]');
});

test('a quota on pods is told in the status of the function and to its callers', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  await setQuota(cluster, { pods: '0' });
  assert.equal((await create(gateway, { service: 'fn', image })).status, 202);
  const failing = await eventually(
    async () => (await statusOf(gateway, 'fn')).conditions?.find(({ message }) => /exceeded quota/.test(message ?? '')),
    { what: 'a condition that names the quota', timeoutMs: 30_000 },
  );
  assert.equal(failing.status, 'False');
  refused(await gateway.call('fn'), [503], 'exceeded quota');
});

test('an admission webhook that cannot be asked refuses the function by its name', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  const name = 'sluice-test-nobody';
  onEnd(t, () => cluster.kubectl(['delete', 'validatingwebhookconfiguration', name, '--ignore-not-found']));
  await cluster.kubectl(['label', 'namespace', functionNamespace, 'sluice-test=webhook', '--overwrite']);
  onEnd(t, () => cluster.kubectl(['label', 'namespace', functionNamespace, 'sluice-test-']));
  await apply(cluster, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'nobody.sluice-test.example',
        clientConfig: { url: 'https://127.0.0.1:9/validate' },
        rules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
        namespaceSelector: { matchLabels: { 'sluice-test': 'webhook' } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 2,
      },
    ],
  });
  const answer = await eventually(
    async () => {
      const last = await create(gateway, { service: 'fn', image });
      if (last.status !== 202) return last;
      // The API server learns of a new webhook from a watch of its own.
      await gateway.control('DELETE', '/system/functions', { functionName: 'fn' });
      return undefined;
    },
    { what: 'the webhook is asked', timeoutMs: 30_000, intervalMs: 200 },
  );
  refused(answer, [500, 502, 503], 'fn', 'nobody.sluice-test.example');
  await eventually(async () => nothingIsThere(cluster).then(() => true), { what: 'nothing is left', timeoutMs: 60_000 });
});

test('amounts, labels, secrets and images that cannot be are refused by name, and nothing is made', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  const rows: readonly [object, ...string[]][] = [
    [{ limits: { memory: 'lots' } }, 'memory', 'lots'],
    [{ requests: { cpu: '2' }, limits: { cpu: '1' } }, 'cpu'],
    [{ labels: { 'bad key!': 'x' } }, 'bad key!'],
    [{ labels: { key: 'x'.repeat(70) } }, 'key'],
    [{ secrets: ['nowhere'] }, 'nowhere'],
    [{ image: 'No Image' }, 'image'],
    [{ annotations: { 'com.openfaas.serviceaccount': 'Not A Name' } }, 'Not A Name'],
  ];
  for (const [more, ...words] of rows) refused(await create(gateway, { service: 'fn', image, ...more }), [400], ...words);
  await nothingIsThere(cluster);
});

test('an update that is refused leaves the function as it was', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  await put(gateway, { service: 'fn', image });
  await answering(gateway, 'fn');
  const read = async (): Promise<unknown> =>
    (await getJson<{ spec: unknown }>(cluster, 'deployment', '-n', functionNamespace, 'fn')).spec;
  const before = await read();
  for (const more of [{ secrets: ['nowhere'] }, { limits: { memory: 'lots' } }, { labels: { key: 'x'.repeat(70) } }]) {
    refused(await gateway.control('PUT', '/system/functions', { service: 'fn', image, ...more }), [400]);
  }
  assert.deepEqual(await read(), before);
  assert.equal((await gateway.call('fn')).status, 200);
});

test('namespaces that were not opened to functions are refused, kube-system above all', { skip }, async (t) => {
  const { cluster, gateway, image } = await setTheScene(t);
  for (const namespace of ['kube-system', 'default', 'not-there']) {
    refused(await create(gateway, { service: 'fn', image, namespace }), [400, 401, 403, 404], namespace);
    const list = await gateway.control('GET', `/system/functions?namespace=${namespace}`);
    refused(list, [400, 401, 403, 404], namespace);
    const made = await cluster.kubectl(['get', 'deployments', '-A', '--field-selector', 'metadata.name=fn', '-o', 'name']);
    assert.equal(made.trim(), '');
  }
});

test('a gateway whose account may only read says which right it lacks', { skip }, async (t) => {
  const cluster = await emptyCluster(t, found);
  const image = await functionImage(cluster, 'version');
  const name = 'sluice-test-reader';
  onEnd(t, () => cluster.kubectl(['delete', 'clusterrole,clusterrolebinding', name, '--ignore-not-found']));
  onEnd(t, () => cluster.kubectl(['delete', 'serviceaccount', '-n', 'default', name, '--ignore-not-found']));
  await cluster.kubectl(['create', 'serviceaccount', '-n', 'default', name]);
  const resources = ['deployments.apps', 'services', 'secrets', 'pods', 'namespaces', 'endpoints', 'replicasets.apps', 'events'];
  await cluster.kubectl(['create', 'clusterrole', name, '--verb=get,list,watch', `--resource=${resources.join(',')}`]);
  await cluster.kubectl(['create', 'clusterrolebinding', name, `--clusterrole=${name}`, `--serviceaccount=default:${name}`]);
  const token = await eventually(
    async () => {
      const { items } = await getJson<{
        items: { metadata: { annotations?: Record<string, string> }; data?: { token?: string } }[];
      }>(cluster, 'secrets', '-n', 'default');
      const secret = items.find(({ metadata }) => metadata.annotations?.['kubernetes.io/service-account.name'] === name);
      return secret?.data?.token;
    },
    { what: 'a token of the account', timeoutMs: 20_000 },
  );
  const config = JSON.parse(await cluster.kubectl(['config', 'view', '--raw', '-o', 'json']));
  config.users = [{ name: config.users[0].name, user: { token: Buffer.from(token, 'base64').toString() } }];
  const kubeconfig = join(await makeTmpDir(t), 'config');
  await writeFile(kubeconfig, JSON.stringify(config));
  const gateway = await startClusterGateway(t, { ...cluster, kubeconfig });
  refused(await create(gateway, { service: 'fn', image }), [403], 'fn', 'deployments', 'create', name);
  const secret = await gateway.control('POST', '/system/secrets', { name: 'key', value: 'x' });
  refused(secret, [403], 'key', 'secrets');
  await nothingIsThere(cluster);
});

// sluice install and uninstall against an API server.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Deployment, KubeObject, Pod } from '../../../provider/kubernetes/objects.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { type FakeKubeApi, startKubeApi } from '../../provider/kubernetes/kube-api.ts';
import { kubeconfig } from '../../provider/kubernetes/rig.ts';
import { type Ran, runCli } from '../run-cli.ts';

const deployments = '/apis/apps/v1/namespaces/openfaas/deployments';

type Scene = { readonly api: FakeKubeApi; run(...argv: string[]): Promise<Ran> };

/** @param policies versions of the group policy that the API server offers */
const setUp = async (t: TestContext, ...policies: string[]): Promise<Scene> => {
  const api = await startKubeApi(t);
  const versions = policies.map((groupVersion) => ({ groupVersion }));
  api.put({ metadata: { name: 'policy' }, versions } as KubeObject, '/apis');
  const home = await makeTmpDir(t);
  const file = join(home, 'kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig(api.url)));
  return { api, run: (...argv) => runCli(t, argv, { env: { KUBECONFIG: file }, home }) };
};

/** What the controllers of a cluster make of the gateway's Deployment when it is looked at. */
const becomeReady = (api: FakeKubeApi): void =>
  api.before(`GET ${deployments}/gateway`, () => {
    const before = api.find<Deployment>(`${deployments}/gateway`) as Deployment;
    const { replicas = 1 } = before.spec;
    const status = {
      observedGeneration: before.metadata.generation,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    };
    api.put({ ...before, status } as KubeObject, deployments);
  });

test('install applies everything, makes credentials once, and waits until the gateway is ready', async (t) => {
  const { api, run } = await setUp(t, 'policy/v1', 'policy/v1beta1');
  becomeReady(api);
  const ran = await run('install', '--image', 'registry.example.com/sluice:1', '--replicas', '3');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^The gateway is ready: 3 replicas in namespace openfaas\./);
  assert.match(ran.stderr, /made new credentials/);
  const gateway = api.find<Deployment>(`${deployments}/gateway`) ?? assert.fail('there is no gateway');
  assert.deepEqual(
    [gateway.spec.replicas, gateway.spec.template.spec.containers[0]?.image],
    [3, 'registry.example.com/sluice:1'],
  );
  assert.ok(api.find('/apis/policy/v1/namespaces/openfaas/poddisruptionbudgets/gateway'));
  assert.ok(api.find('/apis/networking.k8s.io/v1/namespaces/openfaas-fn/networkpolicies/functions'));
  assert.ok(api.find('/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice-gateway'));
  const secret = api.find('/api/v1/namespaces/openfaas/secrets/basic-auth');
  becomeReady(api);
  const again = await run('install', '--image', 'registry.example.com/sluice:2', '--replicas', '3');
  assert.match(again.stderr, /kept the credentials that were there/);
  assert.deepEqual(api.find('/api/v1/namespaces/openfaas/secrets/basic-auth'), secret);
});

test('where the API server has no policy/v1, the disruption budget is of the version before', async (t) => {
  const { api, run } = await setUp(t, 'policy/v1beta1');
  becomeReady(api);
  assert.equal((await run('install', '--image', 'sluice:1', '--one-namespace', '--no-network-policy')).code, 0);
  assert.ok(api.find('/apis/policy/v1beta1/namespaces/openfaas/poddisruptionbudgets/gateway'));
  assert.ok(api.find('/apis/rbac.authorization.k8s.io/v1/namespaces/openfaas-fn/roles/sluice-gateway'));
  assert.ok(!api.writes.some(({ line }) => /clusterroles|networkpolicies/.test(line)));
});

test('a gateway that does not become ready is explained by its pods', async (t) => {
  const { api, run } = await setUp(t, 'policy/v1');
  const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "sluice:1"' };
  const pod: Pod = {
    metadata: { name: 'gateway-1', namespace: 'openfaas', labels: { app: 'gateway' } },
    status: { containerStatuses: [{ name: 'gateway', state: { waiting } }] },
  };
  api.put(pod, '/api/v1/namespaces/openfaas/pods');
  const ran = await run('install', '--image', 'sluice:1', '--timeout', '1s');
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /not ready within 1s: ImagePullFailed: ImagePullBackOff: Back-off pulling image "sluice:1"/);
});

test('uninstall takes away what install has made, and leaves functions and namespaces', async (t) => {
  const { api, run } = await setUp(t, 'policy/v1');
  becomeReady(api);
  await run('install', '--image', 'sluice:1');
  const ran = await run('uninstall', '--timeout', '10s');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /The gateway is gone/);
  assert.equal(api.find(`${deployments}/gateway`), undefined);
  assert.equal(api.find('/api/v1/namespaces/openfaas/secrets/basic-auth'), undefined);
  assert.ok(api.find('/api/v1/namespaces/openfaas-fn'), 'the namespace of functions is still there');
  assert.match((await run('uninstall')).stdout, /There was nothing to remove/);
  await run('uninstall', '--all');
  assert.equal(api.find('/api/v1/namespaces/openfaas-fn'), undefined);
});

test('a cluster that does not answer is an error that names it', async (t) => {
  const { api, run } = await setUp(t, 'policy/v1');
  await api.stop();
  const ran = await run('install', '--image', 'sluice:1');
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /Kubernetes at http:\/\/127\.0\.0\.1:\d+: the Kubernetes API server could not be asked/);
});

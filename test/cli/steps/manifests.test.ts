// The manifests of deploy/kubernetes/ as `sluice install` applies them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Installation, nameOf, pathOf, readManifests, toManifests } from '../../../cli/steps/manifests.ts';

const dir = fileURLToPath(new URL('../../../deploy/kubernetes', import.meta.url));
const installation: Installation = {
  image: 'registry.example.com/sluice:1',
  replicas: 3,
  oneNamespace: false,
  networkPolicy: true,
};
const make = async (more: Partial<Installation> = {}, policy = 'policy/v1') =>
  toManifests(await readManifests(dir), { ...installation, ...more }, policy);

test('every manifest has a path, and namespaces come before what is in them', async () => {
  const manifests = await make();
  assert.deepEqual(manifests.slice(0, 2).map(nameOf), ['Namespace openfaas', 'Namespace openfaas-fn']);
  const paths = manifests.map(pathOf);
  assert.equal(new Set(paths).size, paths.length);
  assert.ok(paths.includes('/apis/apps/v1/namespaces/openfaas/deployments/gateway'));
  assert.ok(paths.includes('/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice-gateway'));
  assert.ok(paths.includes('/api/v1/namespaces/openfaas/services/gateway'));
});

test('image and number of gateways are the ones asked for; the pod has no more rights than it needs', async () => {
  const deployment = (await make()).find(({ kind }) => kind === 'Deployment');
  const spec = deployment?.spec as {
    replicas: number;
    template: { spec: { securityContext: object; containers: Record<string, unknown>[] } };
  };
  const [container] = spec.template.spec.containers;
  assert.deepEqual([spec.replicas, container?.image], [3, 'registry.example.com/sluice:1']);
  assert.deepEqual(container?.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.equal((spec.template.spec.securityContext as { runAsNonRoot?: boolean }).runAsNonRoot, true);
});

test('the disruption budget is of the version that the API server offers', async () => {
  const version = async (policy: string) =>
    (await make({}, policy)).find(({ kind }) => kind === 'PodDisruptionBudget')?.apiVersion;
  assert.deepEqual([await version('policy/v1'), await version('policy/v1beta1')], ['policy/v1', 'policy/v1beta1']);
});

test('one namespace means no right in the whole cluster', async () => {
  const kinds = (await make({ oneNamespace: true })).map(({ kind }) => kind);
  assert.equal(
    kinds.some((kind) => kind.startsWith('Cluster')),
    false,
  );
  assert.ok(kinds.includes('Role') && kinds.includes('RoleBinding'));
});

test('network policies can be left out', async () => {
  assert.equal(
    (await make({ networkPolicy: false })).some(({ kind }) => kind === 'NetworkPolicy'),
    false,
  );
});

// Profiles as an operator prepares them: objects of OpenFaaS's own kind, which functions name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { findCluster } from './cluster.ts';
import { openNamespace, put, startClusterGateway } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyFunctionNamespaces, functionNamespace, getJson, podsEnded, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const namespace = 'profiles';
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'profiles.openfaas.com' },
  spec: {
    group: 'openfaas.com',
    scope: 'Namespaced',
    names: { kind: 'Profile', plural: 'profiles', singular: 'profile' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
const toleration = { key: 'batch', operator: 'Exists', effect: 'NoSchedule' };
const profile = {
  apiVersion: 'openfaas.com/v1',
  kind: 'Profile',
  metadata: { name: 'batch', namespace },
  spec: { tolerations: [toleration], podSecurityContext: { fsGroup: 2000 } },
};

type Deployment = {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly tolerations?: object[]; readonly securityContext?: { readonly fsGroup?: number } };
    };
  };
};

test('a Profile that a function names is in its pods, and leaves them with its name', { skip }, async (t) => {
  if ('missing' in found) throw new Error(found.missing);
  const { cluster } = found;
  await emptyFunctionNamespaces(cluster);
  onEnd(t, () => emptyFunctionNamespaces(cluster));
  await openNamespace(t, cluster, namespace);
  onEnd(t, () => cluster.kubectl(['delete', 'customresourcedefinition', definition.metadata.name, '--ignore-not-found']));
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(definition));
  // The API server takes a moment until it serves a kind that is new to it.
  await eventually(() => cluster.kubectl(['apply', '-f', '-'], JSON.stringify(profile)), {
    what: 'a Profile',
    timeoutMs: 60_000,
    intervalMs: 200,
  });
  const gateway = await startClusterGateway(t, cluster, { env: { SLUICE_PROFILES_NAMESPACE: namespace } });
  const image = await functionImage(cluster, 'version');
  const read = async (): Promise<Deployment['spec']['template']['spec']> =>
    (await getJson<Deployment>(cluster, 'deployment', '-n', functionNamespace, 'fn')).spec.template.spec;

  await put(gateway, { service: 'fn', image, annotations: { 'com.openfaas.profile': 'batch' } });
  const pods = await podsReady(cluster, 'fn', 1);
  const named = await read();
  assert.deepEqual([named.tolerations, named.securityContext?.fsGroup], [[toleration], 2000]);
  assert.equal((await gateway.call('fn')).status, 200);

  await put(gateway, { service: 'fn', image });
  await podsEnded(cluster, 'fn', pods);
  await podsReady(cluster, 'fn', 1);
  const plain = await read();
  assert.deepEqual([plain.tolerations, plain.securityContext?.fsGroup], [undefined, undefined]);

  const unknown = { service: 'other', image, annotations: { 'com.openfaas.profile': 'nightly' } };
  const refused = await gateway.control('POST', '/system/functions', unknown);
  assert.match(`${refused.status} ${refused.text}`, /^400 .*nightly/s);
});

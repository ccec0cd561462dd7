// Functions that faas-netes deployed are taken over: shown, called, updated, with nothing of the old specification left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { findCluster } from './cluster.ts';
import { faasNetesDeployment, faasNetesService } from './faas-netes.ts';
import { answering, put, scale, startClusterGateway } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster, functionNamespace, getJson, podsEnded, podsOf, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

type Template = {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
      readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
      readonly resources?: { readonly limits?: Record<string, string> };
    }[];
    readonly volumes?: readonly { readonly name: string }[];
    readonly imagePullSecrets?: readonly { readonly name: string }[];
  };
};
type Deployment = {
  readonly metadata: {
    readonly uid: string;
    readonly annotations: Record<string, string>;
    readonly labels: Record<string, string>;
  };
  readonly spec: { readonly replicas: number; readonly selector: object; readonly template: Template };
};

test('a function that faas-netes deployed is shown, called, scaled, updated and removed', { skip }, async (t) => {
  const cluster = await emptyCluster(t, found);
  const image = await functionImage(cluster, 'version');
  const n = ['-n', functionNamespace];
  await cluster.kubectl(['create', ...n, 'secret', 'generic', 'old-key', '--from-literal=old-key=value']);
  const old = {
    service: 'fn',
    image,
    environment: { version: 'theirs', stale: 'yes', fprocess: 'node index.js' },
    labels: { team: 'old', 'com.openfaas.scale.max': '4' },
    annotations: { topic: 'orders' },
    secrets: ['old-key'],
    limits: { memory: '256Mi' },
  };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(faasNetesDeployment(old)));
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(faasNetesService(old)));
  await podsReady(cluster, 'fn', 1);
  const read = (): Promise<Deployment> => getJson<Deployment>(cluster, 'deployment', ...n, 'fn');
  const before = await read();

  const gateway = await startClusterGateway(t, cluster);
  const listed: FunctionStatus[] = JSON.parse((await gateway.control('GET', '/system/functions')).text);
  assert.deepEqual(
    listed.map(({ name, image: shown, replicas }) => [name, shown, replicas]),
    [['fn', image, 1]],
  );
  const shown = await answering(gateway, 'fn', 1);
  assert.deepEqual(shown.envVars, { version: 'theirs', stale: 'yes' });
  assert.deepEqual([shown.envProcess, shown.secrets, shown.limits?.memory], ['node index.js', ['old-key'], '256Mi']);
  assert.deepEqual([shown.labels?.team, shown.annotations?.topic], ['old', 'orders']);
  assert.equal((await gateway.call('fn', { method: 'POST', body: 'x' })).text, 'theirs\nx');
  assert.deepEqual((await read()).spec, before.spec, 'looking changes nothing');

  await scale(gateway, 'fn', 2);
  await answering(gateway, 'fn', 2);
  const theirs = await podsOf(cluster, 'fn');
  await put(gateway, { service: 'fn', image, envVars: { version: 'ours' }, labels: { team: 'new' }, annotations: { note: 'n' } });
  await podsEnded(cluster, 'fn', theirs);
  await answering(gateway, 'fn', 2);
  const after = await read();
  assert.equal(after.metadata.uid, before.metadata.uid, 'updated in place');
  assert.deepEqual(after.spec.selector, before.spec.selector);
  assert.equal(after.spec.replicas, 2);
  const { metadata, spec } = after.spec.template;
  const [container, ...others] = spec.containers;
  assert.ok(container !== undefined && others.length === 0);
  const variables = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
  assert.deepEqual([variables.version, variables.stale, variables.fprocess], ['ours', undefined, undefined]);
  assert.deepEqual(
    [metadata.labels.faas_function, metadata.labels.team, metadata.labels['com.openfaas.scale.max']],
    ['fn', 'new', undefined],
  );
  assert.deepEqual([after.metadata.annotations.topic, after.metadata.annotations.note], [undefined, 'n']);
  assert.deepEqual([metadata.annotations?.topic, metadata.annotations?.note], [undefined, 'n']);
  assert.equal(container.resources?.limits?.memory, undefined);
  assert.deepEqual(
    (container.volumeMounts ?? []).filter(({ mountPath }) => mountPath.startsWith('/var/openfaas')),
    [],
  );
  assert.equal((await gateway.call('fn')).text, 'ours\n');

  const removed = await gateway.control('DELETE', '/system/functions', { functionName: 'fn' });
  assert.equal(removed.status, 202, removed.text);
  const left = await getJson<{ items: unknown[] }>(cluster, 'deployments,services', ...n);
  assert.deepEqual(left.items, []);
});

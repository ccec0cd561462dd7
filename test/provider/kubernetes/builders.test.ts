// Specifications become the objects that the OpenFaaS contract sheet states in section 5.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toDeployment, updateDeployment } from '../../../provider/kubernetes/deployment.ts';
import type { Deployment } from '../../../provider/kubernetes/objects.ts';
import { defaultPodSettings } from '../../../provider/kubernetes/options.ts';
import { checkImage, revisionKey } from '../../../provider/kubernetes/pod.ts';
import { servesFunction, toService } from '../../../provider/kubernetes/service.ts';
import type { FunctionSpec } from '../../../provider/types/function.ts';
import { deployment, faasNetes, service, spec } from './golden.ts';

const secrets = { files: ['api-key', 'db-password'], pulls: ['registry-login'] };
const parts = { spec, secrets, settings: defaultPodSettings, profiles: [], nonce: 'n1' };
const none = { files: [], pulls: [] };
const plain: FunctionSpec = { service: 'fn', namespace: 'dev', image: 'fn:1' };
const build = (more: Partial<FunctionSpec> = {}, other: object = {}): Deployment =>
  toDeployment({ ...parts, secrets: none, ...other, spec: { ...plain, ...more } });
const containerOf = ({ spec: { template } }: Deployment) => template.spec.containers[0];

/** The object as it travels, without the mark that tells updates apart. */
const onTheWire = (object: Deployment): { spec: { template: { metadata: { annotations: Record<string, string> } } } } => {
  const copy = JSON.parse(JSON.stringify(object));
  assert.match(copy.spec.template.metadata.annotations[revisionKey], /^[0-9a-f]{16}(-\w+)?$/);
  delete copy.spec.template.metadata.annotations[revisionKey];
  return copy;
};

test('facts 118, 140 to 143, 145, 147, 149: a full specification becomes the Deployment of the contract', () => {
  assert.deepEqual(onTheWire(toDeployment(parts)), deployment);
});

test('fact 146: a function has a ClusterIP Service of its name', () => {
  assert.deepEqual(toService(spec), service);
});

test('a specification with nothing but a name and an image has no volumes, selectors, secrets or amounts', () => {
  const { template, replicas } = build().spec;
  assert.equal(replicas, 1);
  for (const key of ['volumes', 'nodeSelector', 'imagePullSecrets', 'serviceAccountName', 'tolerations', 'affinity']) {
    assert.equal(Object.hasOwn(template.spec, key), false, key);
  }
  const container = template.spec.containers[0];
  assert.deepEqual([container?.volumeMounts, container?.resources], [undefined, {}]);
  assert.equal(container?.securityContext?.readOnlyRootFilesystem, false);
  assert.equal(template.spec.terminationGracePeriodSeconds, 62);
});

test('fact 141: the user decides about prometheus.io.scrape', () => {
  const annotations = { 'prometheus.io.scrape': 'true' };
  assert.equal(build({ annotations }).metadata.annotations?.['prometheus.io.scrape'], 'true');
});

test('fact 144: functions run as user 12000 where that is set', () => {
  const settings = { ...defaultPodSettings, setNonRootUser: true };
  assert.equal(containerOf(build({}, { settings }))?.securityContext?.runAsUser, 12_000);
});

test('fact 145: without HTTP probes the lock file is read', () => {
  const container = containerOf(build({}, { settings: { ...defaultPodSettings, httpProbe: false } }));
  for (const probe of [container?.readinessProbe, container?.livenessProbe]) {
    assert.deepEqual(probe?.exec, { command: ['cat', '/tmp/.lock'] });
    assert.equal(probe?.httpGet, undefined);
  }
});

test('annotations say how a function is probed; readiness asks where health does unless told', () => {
  const container = containerOf(
    build({
      annotations: {
        'com.openfaas.health.http.path': '/alive',
        'com.openfaas.health.http.initialDelay': '30s',
        'com.openfaas.ready.http.periodSeconds': '7',
        'com.openfaas.ready.http.successThreshold': '2',
      },
    }),
  );
  const { livenessProbe, readinessProbe } = container ?? {};
  assert.deepEqual([livenessProbe?.httpGet?.path, readinessProbe?.httpGet?.path], ['/alive', '/alive']);
  assert.deepEqual([livenessProbe?.initialDelaySeconds, livenessProbe?.periodSeconds], [30, 2]);
  assert.deepEqual([readinessProbe?.periodSeconds, readinessProbe?.successThreshold], [7, 2]);
  assert.throws(() => build({ annotations: { 'com.openfaas.ready.http.periodSeconds': 'soon' } }), /periodSeconds.*"soon"/);
});

test("a function's own timeout reaches its watchdog and its grace period", () => {
  const made = build({ annotations: { 'sluice.dev/timeout': '2m' }, envVars: { healthcheck_interval: '3s' } });
  const env = Object.fromEntries((containerOf(made)?.env ?? []).map(({ name, value }) => [name, value]));
  assert.deepEqual([env.exec_timeout, env.write_timeout], ['2m0s', '2m0s']);
  assert.equal(made.spec.template.spec.terminationGracePeriodSeconds, 125);
});

test('a function without a time limit leaves its watchdog the one that it must have', () => {
  const made = build({ annotations: { 'sluice.dev/timeout': '0' }, envVars: {} });
  const env = Object.fromEntries((containerOf(made)?.env ?? []).map(({ name, value }) => [name, value]));
  assert.deepEqual([env.exec_timeout, env.write_timeout], ['0s', undefined]);
  assert.equal(made.spec.template.spec.terminationGracePeriodSeconds, 62);
});

test('a label of the user cannot take a pod away from its selector', () => {
  assert.equal(build({ labels: { faas_function: 'other' } }).spec.template.metadata?.labels?.faas_function, 'fn');
});

test('pinned images have one revision for one specification, others a new one each time', () => {
  const revision = (image: string, nonce: string, more: Partial<FunctionSpec> = {}): string | undefined =>
    build({ image, ...more }, { nonce }).spec.template.metadata?.annotations?.[revisionKey];
  const pinned = `fn@sha256:${'a'.repeat(64)}`;
  assert.equal(revision(pinned, 'x'), revision(pinned, 'y'));
  assert.notEqual(revision(pinned, 'x'), revision(pinned, 'x', { envVars: { a: 'b' } }));
  assert.notEqual(revision('fn:1', 'x'), revision('fn:1', 'y'));
});

test('image names that no registry can have are refused', () => {
  for (const image of [
    'fn',
    'fn:latest',
    'localhost:5000/a/b-c:v1.2',
    'ghcr.io/x/y@sha256:'.padEnd(82, 'f'),
    'A.example.com/x',
  ]) {
    assert.doesNotThrow(() => checkImage(image), image);
  }
  for (const image of ['', 'Not An Image', 'UPPER', 'a//b', 'fn:', '-fn', 'fn@sha256:12', `fn:${'x'.repeat(200)}`]) {
    assert.throws(() => checkImage(image), { code: 'invalid' }, image);
  }
});

test('an update of what faas-netes made leaves nothing of the old specification and keeps what others put there', () => {
  const before = structuredClone(faasNetes) as unknown as Deployment;
  const { 'com.openfaas.scale.min': _, ...labels } = spec.labels ?? {};
  const after = updateDeployment(before, { ...parts, spec: { ...spec, labels } });
  const wire = onTheWire(after) as unknown as typeof deployment;
  const [container] = wire.spec.template.spec.containers;
  const [wanted] = deployment.spec.template.spec.containers;
  assert.deepEqual(
    { ...container, volumeMounts: undefined, terminationMessagePath: undefined },
    { ...wanted, volumeMounts: undefined, terminationMessagePath: undefined },
  );
  assert.deepEqual(wire.spec.template.metadata, {
    labels: { faas_function: 'figlet', team: 'blue' },
    annotations: deployment.metadata.annotations,
  });
  assert.deepEqual(wire.metadata.annotations, { ...deployment.metadata.annotations, 'deployment.kubernetes.io/revision': '3' });
  assert.deepEqual(wire.spec.template.spec.imagePullSecrets, [{ name: 'registry-login' }]);
  assert.deepEqual(container?.volumeMounts.map(({ name }) => name).sort(), ['cache', 'figlet-projected-secrets', 'temp']);
  assert.deepEqual(wire.spec.template.spec.volumes.map(({ name }) => name).sort(), ['cache', 'figlet-projected-secrets', 'temp']);
  assert.equal(wire.spec.replicas, 4, 'no minimum is given: whoever scaled it goes on doing so');
  assert.deepEqual([after.metadata.uid, after.metadata.resourceVersion], ['d1', '41']);
  assert.deepEqual(before, faasNetes, 'what was read is not changed');
});

test('fact 69: an update with a minimum sets the replicas to it', () => {
  assert.equal(updateDeployment(faasNetes as unknown as Deployment, parts).spec.replicas, 2);
});

test('fact 143: an update without a read-only root takes the temporary volume away', () => {
  const after = updateDeployment(faasNetes as unknown as Deployment, {
    ...parts,
    secrets: none,
    spec: { ...spec, secrets: [], readOnlyRootFilesystem: false },
  });
  assert.deepEqual(
    after.spec.template.spec.volumes?.map(({ name }) => name),
    ['cache'],
  );
  assert.deepEqual(
    containerOf(after)?.volumeMounts?.map(({ name }) => name),
    ['cache'],
  );
  assert.equal(containerOf(after)?.securityContext?.readOnlyRootFilesystem, false);
});

test('profiles are applied, the function wins, and they go when they are not named any more', () => {
  const profile = {
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
    runtimeClassName: 'gvisor',
    podSecurityContext: { runAsNonRoot: true },
    resources: { limits: { memory: '1Gi', cpu: '2' } },
    priorityClassName: 'high',
    strategy: { type: 'Recreate' },
  };
  const annotations = { 'com.openfaas.profile': 'gpu' };
  const made = build({ annotations, limits: { memory: '64Mi' } }, { profiles: [profile] });
  const { spec: pod } = made.spec.template;
  assert.deepEqual([pod.tolerations, pod.runtimeClassName, pod.priorityClassName], [profile.tolerations, 'gvisor', 'high']);
  assert.deepEqual(containerOf(made)?.resources?.limits, { memory: '64Mi', cpu: '2' });
  assert.deepEqual(made.spec.strategy, { type: 'Recreate' });
  const { spec: bare } = updateDeployment(made, { ...parts, secrets: none, spec: plain }).spec.template;
  for (const key of ['tolerations', 'runtimeClassName', 'priorityClassName', 'securityContext'])
    assert.equal(bare[key], undefined, key);
});

test('resources of a profile are those of the function, not of a container that somebody put before it', () => {
  const before = build();
  const { template } = before.spec;
  const proxy = { name: 'proxy', image: 'proxy:1' };
  const injected = {
    ...before,
    spec: {
      ...before.spec,
      template: { ...template, spec: { ...template.spec, containers: [proxy, ...template.spec.containers] } },
    },
  };
  const spec = { ...plain, annotations: { 'com.openfaas.profile': 'small' } };
  const profiles = [{ resources: { limits: { memory: '64Mi' } } }];
  const [first, second] = updateDeployment(injected, { ...parts, secrets: none, profiles, spec }).spec.template.spec.containers;
  assert.deepEqual([first, second?.name, second?.resources?.limits], [proxy, 'fn', { memory: '64Mi' }]);
});

test("a Service that selects other pods is not the function's", () => {
  assert.equal(servesFunction(toService(spec), 'figlet'), true);
  assert.equal(servesFunction({ metadata: { name: 'figlet' }, spec: { selector: { app: 'database' } } }, 'figlet'), false);
});

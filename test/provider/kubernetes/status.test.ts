// What Kubernetes says about a function, as users are shown it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError, toFaasError, toKubeError } from '../../../provider/kubernetes/errors.ts';
import { failureOf } from '../../../provider/kubernetes/failure.ts';
import type { ContainerStatus, Deployment, Pod } from '../../../provider/kubernetes/objects.ts';
import { createRevisions, matches } from '../../../provider/kubernetes/revision.ts';
import { toConditions, toStatus } from '../../../provider/kubernetes/status.ts';
import { isOlder } from '../../../provider/kubernetes/versions.ts';
import { faasNetes } from './golden.ts';

const adopted = faasNetes as unknown as Deployment;

const pod = (status: Partial<ContainerStatus>, more: Partial<NonNullable<Pod['status']>> = {}): Pod => ({
  metadata: { name: 'figlet-1', namespace: 'openfaas-fn', labels: { faas_function: 'figlet' } },
  status: { containerStatuses: [{ name: 'figlet', restartCount: 0, ...status }], ...more },
});

test('a function that faas-netes deployed is shown with everything that stands in its Deployment', () => {
  const { conditions: _, ...status } = toStatus(adopted, 3, []);
  assert.deepEqual(JSON.parse(JSON.stringify(status)), {
    name: 'figlet',
    namespace: 'openfaas-fn',
    image: 'registry.example.com/figlet:0',
    envProcess: 'figlet',
    envVars: { stale: 'variable' },
    secrets: ['old-key', 'registry-login'],
    labels: { faas_function: 'figlet', uid: '183746', stale: 'label' },
    annotations: { 'prometheus.io.scrape': 'false', old: 'note' },
    limits: { memory: '64Mi' },
    readOnlyRootFilesystem: true,
    replicas: 4,
    availableReplicas: 3,
    createdAt: '2024-01-02T03:04:05Z',
  });
});

const reasons: readonly { name: string; pod: Pod; reason: string | undefined; words: RegExp }[] = [
  {
    name: 'an image that cannot be pulled',
    pod: pod({ state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } } }),
    reason: 'ImagePullFailed',
    words: /ErrImagePull: manifest unknown/,
  },
  {
    name: 'a crash loop, with the last lines',
    pod: pod({
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'first\nboom at load\n' } },
    }),
    reason: 'CrashLoop',
    words: /exited with code 1 3 times; its last lines: first \| boom at load/,
  },
  {
    name: 'too much memory',
    pod: pod({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
    }),
    reason: 'OOMKilled',
    words: /more memory than its limit/,
  },
  {
    name: 'no node that fits',
    pod: pod(
      {},
      { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes are available' }] },
    ),
    reason: 'Unschedulable',
    words: /0\/2 nodes/,
  },
  {
    name: 'a container that is being made',
    pod: pod({ state: { waiting: { reason: 'ContainerCreating' } } }),
    reason: undefined,
    words: /./,
  },
];

for (const { name, pod: failing, reason, words } of reasons) {
  test(`${name} is ${reason ?? 'no failure'}`, () => {
    const failure = failureOf(adopted, [failing]);
    assert.equal(failure?.reason, reason);
    if (failure !== undefined) assert.match(failure.message, words);
  });
}

test('pods that Kubernetes refuses to make are a failure, a quota by its name', () => {
  const refused = (message: string): Deployment => ({
    ...adopted,
    status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] },
  });
  assert.equal(failureOf(refused('pods "x" is forbidden: exceeded quota: few'), [])?.reason, 'QuotaExceeded');
  assert.equal(failureOf(refused('admission webhook "w" denied the request'), [])?.reason, 'FailedCreate');
  const atZero = { ...refused('exceeded quota'), spec: { ...adopted.spec, replicas: 0 } };
  assert.equal(failureOf(atZero, []), undefined, 'nothing fails that is not wanted');
});

test('a condition keeps its time for as long as it says the same', () => {
  const facts = { desired: 1, ready: 1, current: 1, failure: undefined, remark: undefined, overdue: undefined };
  const first = toConditions(facts, [], 1000);
  assert.deepEqual(
    first.map(({ type, status }) => [type, status]),
    [
      ['Ready', 'True'],
      ['Healthy', 'True'],
    ],
  );
  assert.deepEqual(toConditions(facts, first, 9000), first);
  const failed = toConditions({ ...facts, ready: 0, failure: { reason: 'CrashLoop', message: 'x' } }, first, 9000);
  assert.ok(
    failed.every(({ status, lastTransitionTime }) => status === 'False' && lastTransitionTime !== first[0]?.lastTransitionTime),
  );
});

test('pods belong to the template whose labels, annotations and images they carry', () => {
  const { template } = adopted.spec;
  const made = (hash: string, image = 'registry.example.com/figlet:0', uid = '183746'): Pod => ({
    metadata: {
      name: `figlet-${hash}`,
      labels: { ...template.metadata?.labels, uid, 'pod-template-hash': hash },
      annotations: { ...template.metadata?.annotations, 'cni.example.com/ip': '10.0.0.1' },
    },
    spec: {
      containers: [
        { name: 'figlet', image },
        { name: 'injected', image: 'proxy:1' },
      ],
    },
  });
  assert.deepEqual(
    [matches(template, made('a')), matches(template, made('b', 'other:1')), matches(template, made('c', undefined, '1'))],
    [true, false, false],
  );
  const revisions = createRevisions();
  revisions.setTemplate(template, []);
  assert.equal(revisions.of(made('a')), revisions.wanted());
  assert.notEqual(revisions.of(made('old', 'other:1')), revisions.wanted());
  const next = { ...template, metadata: { ...template.metadata, labels: { ...template.metadata?.labels, uid: '2' } } };
  const early = made('b', undefined, '2');
  const given = revisions.of(early);
  revisions.setTemplate(next, [early]);
  assert.equal(revisions.wanted(), given, 'a pod that was seen before its Deployment is of the wanted revision');
  assert.notEqual(revisions.of(made('a')), revisions.wanted());
  revisions.setTemplate(template, []);
  assert.equal(revisions.of(made('a')), revisions.wanted(), 'a rollback goes back to the revision');
});

test('what Kubernetes refuses reaches the caller with a status that fits, its own words and the thing it is about', () => {
  const rows: readonly [number, string, number][] = [
    [403, 'Forbidden', 403],
    [404, 'NotFound', 404],
    [409, 'AlreadyExists', 409],
    [422, 'Invalid', 400],
    [429, 'TooManyRequests', 429],
    [401, 'Unauthorized', 502],
    [500, 'InternalError', 502],
  ];
  for (const [status, reason, wanted] of rows) {
    const body = JSON.stringify({ kind: 'Status', code: status, reason, message: `words of ${reason}` });
    const error = toFaasError(toKubeError(status, body), 'function "fn"');
    assert.equal(error.status, wanted, reason);
    assert.match(error.message, new RegExp(`^function "fn": .*words of ${reason}`));
  }
  assert.equal(toFaasError(new Error('connect ECONNREFUSED'), 'x').code, 'unavailable');
  assert.equal(toKubeError(502, '<html>bad gateway</html>') instanceof KubeError, true);
});

test('resource versions are compared as the numbers they are', () => {
  assert.deepEqual(
    [isOlder('9', '10'), isOlder('10', '9'), isOlder('10', '10'), isOlder(undefined, '1'), isOlder('a', 'b')],
    [true, false, false, false, false],
  );
});

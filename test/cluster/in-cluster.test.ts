// The gateway as `sluice install` puts it into the cluster: two replicas with a service account of their own.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { call } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { sluice } from '../helpers/gateway.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { underLoad } from './gateway.ts';
import { gatewayImage } from './gateway-image.ts';
import { functionImage } from './images.ts';
import { emptyCluster, getJson, type Pod, stillThere } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const core = 'openfaas';

type Installed = {
  readonly cluster: Cluster;
  /** Of the Service. */
  readonly host: string;
  /** A request of the control API to the Service, or to one gateway by its address. */
  control(method: string, path: string, body?: unknown, host?: string): Promise<{ status: number; text: string }>;
  pods(): Promise<readonly Pod[]>;
  run(...args: readonly string[]): Promise<string>;
};

const install = async (t: TestContext): Promise<Installed> => {
  const cluster = await emptyCluster(t, found);
  const env = { HOME: await makeTmpDir(t), PATH: process.env.PATH ?? '', KUBECONFIG: cluster.kubeconfig };
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(t, process.execPath, [sluice, ...args], { env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  onEnd(t, () => cluster.kubectl(['delete', 'namespace', core, '--ignore-not-found']));
  onEnd(t, () => cluster.kubectl(['delete', 'clusterrole,clusterrolebinding', 'sluice-gateway', '--ignore-not-found']));
  await run('install', '--image', await gatewayImage(t, cluster), '--replicas', '2');
  const { spec } = await getJson<{ spec: { clusterIP: string } }>(cluster, 'service', '-n', core, 'gateway');
  const { data } = await getJson<{ data: Record<string, string> }>(cluster, 'secret', '-n', core, 'basic-auth');
  const [user = '', password = ''] = ['user', 'password'].map((each) =>
    Buffer.from(data[`basic-auth-${each}`] ?? '', 'base64').toString(),
  );
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return {
    cluster,
    host: spec.clusterIP,
    control: (method, path, body, host = spec.clusterIP) =>
      call(
        { host, port: 8080 },
        {
          method,
          path,
          headers: { Authorization: authorization, 'Content-Type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        },
      ),
    pods: async () => (await getJson<{ items: Pod[] }>(cluster, 'pods', '-n', core, '-l', 'app=gateway')).items,
    run,
  };
};

/** Resolves when this gateway says that so many replicas of the function answer. */
const answers = (installed: Installed, host: string, name: string, replicas: number): Promise<unknown> =>
  eventually(
    async () => {
      const { status, text } = await installed.control('GET', `/system/function/${name}`, undefined, host);
      return status === 200 && ((JSON.parse(text) as FunctionStatus).availableReplicas ?? 0) === replicas;
    },
    { what: `${host} sees ${replicas} replicas of ${name}`, timeoutMs: 60_000, intervalMs: 100 },
  );

test('two installed gateways serve one cluster: what one is told the other knows, and a restart loses no call', {
  skip,
}, async (t) => {
  const installed = await install(t);
  const { cluster, control, host, pods, run } = installed;
  const gateways = await pods();
  assert.equal(gateways.length, 2);
  const [one = '', two = ''] = gateways.map(({ status }) => status.podIP ?? '');

  const image = await functionImage(cluster, 'version');
  const labels = { 'com.openfaas.scale.min': '2' };
  const created = await control('POST', '/system/functions', { service: 'fn', image, labels }, one);
  assert.equal(created.status, 202, created.text);
  await Promise.all([answers(installed, one, 'fn', 2), answers(installed, two, 'fn', 2)]);
  const other = await control('POST', '/system/functions', { service: 'other', image }, two);
  assert.equal(other.status, 202, other.text);
  for (const each of [one, two]) {
    const answer = await call({ host: each, port: 8080 }, { method: 'POST', path: '/function/other', body: 'x' });
    assert.equal(
      `${answer.status} ${answer.text}`,
      '200 v1\nx',
      'the first call of a function that this gateway may not know yet',
    );
  }
  const removed = await control('DELETE', '/system/functions', { functionName: 'other' }, one);
  assert.equal(removed.status, 202, removed.text);

  const restart = async (pod: Pod | undefined): Promise<void> => {
    assert.ok(pod !== undefined);
    await cluster.kubectl(['delete', 'pod', '-n', core, pod.metadata.name, '--wait=false']);
    await eventually(
      async () => {
        const now = await stillThere(cluster, await pods());
        const isThere = now.some((each) => each.metadata.uid === pod.metadata.uid);
        const ready = now.filter(({ status }) =>
          status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
        );
        return !isThere && ready.length === 2;
      },
      { what: `${pod.metadata.name} has ended, and two gateways are ready`, timeoutMs: 120_000, intervalMs: 200 },
    );
  };
  await underLoad(t, { gateway: { port: 8080 }, name: 'fn', target: { host, port: 8080 } }, async () => {
    await restart((await pods())[0]);
  });

  await run('uninstall');
  const left = await getJson<{ items: { kind: string }[] }>(cluster, 'deployments,services,serviceaccounts', '-n', core).catch(
    () => ({ items: [] }),
  );
  assert.deepEqual(
    left.items.map(({ kind }) => kind).filter((kind) => kind !== 'ServiceAccount'),
    [],
  );
});

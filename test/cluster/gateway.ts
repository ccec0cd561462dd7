// The real gateway beside the cluster, with the Kubernetes provider, and what tests do through it.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { FunctionDeployment, FunctionStatus } from '../../provider/types/function.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { type GatewayOptions, type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { type LoadPlan, type LoadResult, startLoad } from '../helpers/load.ts';
import type { Cluster } from './cluster.ts';

export const startClusterGateway = (t: TestContext, cluster: Cluster, options: GatewayOptions = {}): Promise<RunningGateway> =>
  startGateway(t, {
    ...options,
    args: ['--provider', 'kubernetes', '--kubeconfig', cluster.kubeconfig, ...(options.args ?? [])],
  });

/** A namespace of a test's own, for a gateway with `--function-namespace`. */
export const openNamespace = async (t: TestContext, cluster: Cluster, namespace: string): Promise<void> => {
  await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s']);
  await cluster.kubectl(['create', 'namespace', namespace]);
  onEnd(t, () => cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']));
};

export const statusOf = async (gateway: RunningGateway, name: string): Promise<FunctionStatus> => {
  const answer = await gateway.control('GET', `/system/function/${name}`);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
};

/** Resolves when the function wants so many replicas and all of them answer. */
export const answering = (gateway: RunningGateway, name: string, replicas = 1, timeoutMs = 60_000): Promise<FunctionStatus> =>
  eventually(
    async () => {
      const status = await statusOf(gateway, name);
      return (status.replicas ?? 0) === replicas && (status.availableReplicas ?? 0) === replicas ? status : undefined;
    },
    { what: `${name} has ${replicas} replicas that answer`, timeoutMs, intervalMs: 100 },
  );

/** Deploys it, or updates it when it is there. */
export const put = async (gateway: RunningGateway, deployment: FunctionDeployment): Promise<void> => {
  const updated = await gateway.control('PUT', '/system/functions', deployment);
  if (updated.status !== 404) return assert.equal(updated.status, 202, updated.text);
  const created = await gateway.control('POST', '/system/functions', deployment);
  assert.equal(created.status, 202, created.text);
};

/** Resolves when the number is set; `answering` waits for the replicas. */
export const scale = async (gateway: RunningGateway, name: string, replicas: number): Promise<void> => {
  const answer = await gateway.control('POST', `/system/scale-function/${name}`, { serviceName: name, replicas });
  assert.equal(answer.status, 202, answer.text);
};

export type LoadOptions = Partial<LoadPlan> & { readonly gateway: Pick<RunningGateway, 'port'>; readonly name: string };

/**
 * 200 calls a second from another process while `event` goes on, each with 20 ms of work, every other one on a connection of its
 * own. Not one may fail; resolves to all answers.
 */
export const underLoad = async (t: TestContext, options: LoadOptions, event: () => Promise<unknown>): Promise<LoadResult> => {
  const { gateway, name, ...more } = options;
  const load = await startLoad(t, {
    target: { host: '127.0.0.1', port: gateway.port },
    path: `/function/${name}?ms=20`,
    ratePerS: 200,
    ...more,
  });
  let result: LoadResult;
  try {
    await event();
  } finally {
    result = await load.stop();
    const { sent, failures } = result;
    t.diagnostic(`${sent} calls, ${failures.length} failed; ${[...new Set(failures.map(({ message }) => message))].join(' | ')}`);
  }
  const shown = result.failures.slice(0, 5).map((failure) => JSON.stringify(failure));
  assert.equal(result.failures.length, 0, `${result.failures.length} of ${result.sent} calls failed:\n${shown.join('\n')}`);
  assert.ok(result.answers.some(({ fresh }) => fresh) && result.answers.some(({ fresh }) => !fresh));
  return result;
};

// One run: the real gateway, five replicas, two hundred connections, faults; and what came of it.
import { chmod, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultNamespace } from '../../../provider/types/name.ts';
import type { Cleanup } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { parseExposition, type Sample } from '../../helpers/exposition.ts';
import { type RunningGateway, startGateway } from '../../helpers/gateway.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { startClosedLoad } from './load.ts';
import type { BadCall, ClosedLoadResult, SlowCall } from './plan.ts';
import { handlerSource, type Replicas, replicasIn } from './replicas.ts';
import { type Fault, type FaultKind, startStorm } from './storm.ts';

export type FaultReport = {
  readonly load: ClosedLoadResult;
  readonly faults: readonly Fault[];
  /** Failed calls that had reached a replica which was harmed while they ran. */
  readonly excused: readonly BadCall[];
  /** Failed at the moment of a kill: the dead replica had read them, and was gone before it could note them. */
  readonly unnoted: readonly BadCall[];
  readonly unexcused: readonly BadCall[];
  /** Ids that more than one replica received. */
  readonly repeated: readonly string[];
  /** Calls that went to a stopped replica more than two seconds after it had been stopped. */
  readonly stuck: readonly SlowCall[];
  /** The gateway's counters: calls begun, and finished by status. */
  readonly counted: { readonly started: number; readonly statuses: Readonly<Record<string, number>> };
  readonly openFiles: { readonly before: number; readonly after: number };
};

const replicaCount = 5;
const outWithinMs = 2000;

/** The function's own samples: others may be deployed beside it. */
const samplesOf = async (gateway: RunningGateway, name: string): Promise<Sample[]> => {
  const text = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text();
  const samples = parseExposition(text).get(name)?.samples ?? [];
  return samples.filter(({ labels }) => labels.function_name === `fn.${defaultNamespace}`);
};

const metric = async (gateway: RunningGateway, name: string): Promise<number> => (await samplesOf(gateway, name))[0]?.value ?? 0;

/** The process that listens: `sluice` may be a launcher in front of it. */
const openFiles = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

const hasReplicas = (gateway: RunningGateway): Promise<unknown> =>
  eventually(async () => (await metric(gateway, 'gateway_service_ready_count')) === replicaCount, {
    what: `${replicaCount} replicas`,
    timeoutMs: 45_000,
    intervalMs: 100,
  });

const deploy = async (gateway: RunningGateway, dir: string): Promise<void> => {
  await gateway.deployHandler('fn', handlerSource, {
    labels: { 'com.openfaas.scale.min': String(replicaCount) },
    annotations: { 'sluice.dev/timeout': '10s' },
    envVars: { FAULTS_DIR: dir },
  });
  await hasReplicas(gateway);
};

/** A replica that is slow, refuses or goes on after a stop has no reason to fail a call. */
const costly: ReadonlySet<FaultKind> = new Set(['kill', 'stop-and-kill', 'half']);

/** One of these replicas was harmed while the call ran. */
const harmed = (call: BadCall, receivers: readonly number[], faults: readonly Fault[]): boolean =>
  faults.some(
    ({ kind, pid, beganMs, endedMs }) =>
      costly.has(kind) && receivers.includes(pid) && beganMs <= call.endedMs && endedMs >= call.beganMs,
  );

/** Two processes note the times, each after the fact. */
const clockMs = 5;

/** What a replica had not read when it was killed is reset, and sent to another; an orderly end of the connection means it had. */
const diedReading = (call: BadCall, faults: readonly Fault[]): boolean =>
  call.status === 502 &&
  call.message.includes('other side closed') &&
  faults.some(({ kind, beganMs, endedMs }) => {
    const killedMs = kind === 'kill' ? beganMs : endedMs;
    return kind.endsWith('kill') && call.beganMs <= killedMs + clockMs && killedMs <= call.endedMs + clockMs;
  });

const isStopped = ({ kind }: Fault): boolean => kind === 'stop' || kind === 'stop-and-kill';

/** Begun when the replica had to be out, and received by it nevertheless. */
const findStuck = (calls: readonly SlowCall[], receipts: ReadonlyMap<string, readonly number[]>, faults: readonly Fault[]) =>
  calls.filter(({ id, beganMs, endedMs }) =>
    faults.some(
      (fault) =>
        isStopped(fault) &&
        beganMs > fault.beganMs + outWithinMs &&
        beganMs < fault.endedMs &&
        endedMs >= fault.endedMs - 50 &&
        (receipts.get(id)?.includes(fault.pid) ?? true),
    ),
  );

const countersOf = async (gateway: RunningGateway): Promise<FaultReport['counted']> => {
  const statuses: Record<string, number> = {};
  for (const { labels, value } of await samplesOf(gateway, 'gateway_function_invocation_total')) {
    statuses[labels.code ?? ''] = value;
  }
  return { started: await metric(gateway, 'gateway_function_invocation_started'), statuses };
};

const judge = (load: ClosedLoadResult, faults: readonly Fault[], replicas: Replicas) => {
  const receipts = replicas.receipts();
  const isExcused = (call: BadCall): boolean => harmed(call, receipts.get(call.id) ?? [], faults);
  const rest = load.bad.filter((call) => !isExcused(call));
  const isUnnoted = (call: BadCall): boolean => !receipts.has(call.id) && diedReading(call, faults);
  return {
    load,
    faults,
    excused: load.bad.filter(isExcused),
    unnoted: rest.filter(isUnnoted),
    unexcused: rest.filter((call) => !isUnnoted(call)),
    repeated: [...receipts].filter(([, pids]) => pids.length > 1).map(([id]) => id),
    stuck: findStuck([...load.slow, ...load.bad], receipts, faults),
  };
};

export const runFaults = async (
  t: Cleanup,
  wishes: { readonly seconds: number; readonly seed: number },
): Promise<FaultReport> => {
  const dir = await makeTmpDir(t);
  await chmod(dir, 0o777);
  const gateway = await startGateway(t, { args: ['--pool-size', '2'] });
  await deploy(gateway, dir);
  const pid = gateway.program().pid;
  const before = await openFiles(pid);
  const replicas = replicasIn(dir);
  const load = await startClosedLoad(t, {
    port: gateway.port,
    path: '/function/fn',
    connections: 200,
    pauseMs: 150,
    timeoutMs: 30_000,
  });
  const storm = startStorm(replicas, wishes.seed, 700, replicaCount - 2);
  await delay(wishes.seconds * 1000);
  const faults = await storm.stop();
  const result = await load.stop();
  await eventually(async () => (await metric(gateway, 'gateway_function_invocation_inflight')) === 0, {
    what: 'no call in flight',
  });
  await hasReplicas(gateway);
  const settled = await eventually(
    async () => {
      const now = await openFiles(pid);
      return now <= before + 8 ? now : undefined;
    },
    { what: 'connections to be closed', timeoutMs: 15_000, intervalMs: 200 },
  ).catch(() => openFiles(pid));
  return {
    ...judge(result, faults, replicas),
    counted: await countersOf(gateway),
    openFiles: { before, after: settled },
  };
};

// The results as one value for programs (`--json`) and as text for people.
import { arch, cpus, release, type } from 'node:os';
import { formatFinding } from './aim.ts';
import { type BodyRow, bodyFindings, speedOf } from './bodies.ts';
import { type ClusterRow, clusterFindings } from './cluster.ts';
import { type Crowd, crowdFindings } from './crowd.ts';
import type { Times } from './starts.ts';
import type { Storm } from './storm.ts';
import type { Throughput } from './throughput.ts';

export type MemoryReport = {
  readonly idleGatewayBytes: number;
  readonly blankWatchdogBytes: number;
  readonly blankWatchdogOwnBytes: number;
  readonly runningFunctionBytes: number;
  readonly runningFunctionOwnBytes: number;
  readonly parkedFunctionBytes: number;
};

export type Results = {
  readonly node: string;
  readonly machine: string;
  readonly generator: string;
  readonly quick: boolean;
  /** Processes that wanted to run in the minute before, on average. */
  readonly loadBefore: number;
  readonly throughput?: Throughput | undefined;
  readonly deploy?: Times | undefined;
  readonly wakeWarm?: Times | undefined;
  readonly wakeCold?: Times | undefined;
  readonly storm?: Storm | undefined;
  readonly memory?: MemoryReport | undefined;
  readonly crowd?: Crowd | undefined;
  readonly bodies?: readonly BodyRow[] | undefined;
  readonly cluster?: ClusterRow | undefined;
};

export const machine = (): string =>
  `${type()} ${release()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`;

const number = (value: number, digits = 2): string => value.toFixed(digits);
const megabytes = (bytes: number): string => `${number(bytes / 1e6, 1)} MB`;

const line = (what: string, value: string): string => `  ${what.padEnd(56)} ${value.padStart(12)}`;

const throughputLines = ({ rows, comparisons }: Throughput): string[] => {
  const lines: string[] = [];
  for (const { method, connections } of rows.filter((row) => row.target === 'gateway')) {
    const same = (each: { method: string; connections: number }): boolean =>
      each.method === method && each.connections === connections;
    lines.push('', `${method === 'POST' ? 'POST 1 KiB' : 'GET'}, ${connections} connection${connections === 1 ? '' : 's'}`);
    for (const row of rows.filter(same)) {
      const latency = `p50 ${number(row.p50Ms, 3)} ms  p99 ${number(row.p99Ms, 3)} ms`;
      const broken = row.failures === 0 ? '' : `  ${row.failures} FAILED`;
      const cpu = Number.isNaN(row.cpuMicrosPerCall) ? '' : `  ${number(row.cpuMicrosPerCall, 0)} us of processor a call`;
      lines.push(`${line(row.target, `${number(row.callsPerS, 0)}/s`)}   ${latency}${cpu}${broken}`);
    }
    for (const comparison of comparisons.filter(same)) {
      const { cpuRatio = Number.NaN } = comparison;
      const cpu = Number.isNaN(cpuRatio) ? '' : `   by processor time ${number(cpuRatio)}`;
      lines.push(`${formatFinding(comparison)}${cpu}`);
    }
  }
  return lines;
};

const timesLine = (what: string, times: Times, atMostMs?: number): string => {
  const aim = atMostMs === undefined ? undefined : { atMost: atMostMs };
  const worst = `   p99 ${number(times.p99Ms, 1)} ms, worst of ${times.count} ${number(times.maxMs, 1)} ms`;
  return `${formatFinding({ what, value: times.p50Ms, unit: 'ms', digits: 1, aim })}${worst}`;
};

const stormLines = (storm: Storm): string[] => [
  '',
  `${storm.starts} functions woken at once: all answered after ${number(storm.durationMs, 0)} ms`,
  line("another function's p99 meanwhile", `${number(storm.stormP99Ms, 1)} ms`),
  line('the same before', `${number(storm.quietP99Ms, 1)} ms`),
  line('p99 during / before', number(storm.stormP99Ms / storm.quietP99Ms)),
  formatFinding({ what: 'its calls that failed', value: storm.failures, unit: '', digits: 0, aim: { atMost: 0 } }),
];

const memoryLines = (memory: MemoryReport): string[] => [
  '',
  'Memory (resident; in brackets with shared pages divided among their users)',
  formatFinding({ what: 'gateway, idle', value: memory.idleGatewayBytes / 1e6, unit: 'MB', digits: 1, aim: { atMost: 120 } }),
  `${line('blank watchdog', megabytes(memory.blankWatchdogBytes))}   (${megabytes(memory.blankWatchdogOwnBytes)})`,
  `${line('function, running', megabytes(memory.runningFunctionBytes))}   (${megabytes(memory.runningFunctionOwnBytes)})`,
  line('function, parked: growth of the gateway', `${number(memory.parkedFunctionBytes / 1e3, 0)} kB`),
];

const crowdLines = (crowd: Crowd): string[] => [
  '',
  `One function among ${crowd.many.functions} and among ${crowd.few.functions}, 64 connections, scraped every five seconds`,
  ...crowdFindings(crowd).map(formatFinding),
];

const clusterLines = (row: ClusterRow): string[] => [
  '',
  `Kubernetes: ${row.functions} functions in ${row.namespaces} namespaces, all at zero; ${row.idle.seconds} s idle`,
  ...clusterFindings(row).map(formatFinding),
];

const bodyLines = (row: BodyRow): string[] => {
  const { gateway, bare } = speedOf(row);
  const speeds = `${megabytes(gateway)}/s through the gateway, ${megabytes(bare)}/s through the bare proxy`;
  return ['', `Large bodies: ${speeds}`, ...bodyFindings(row).map(formatFinding)];
};

export const formatResults = (results: Results): string => {
  const lines = [
    `Sluice bench${results.quick ? ' (quick: for smoke, not for numbers)' : ''}`,
    `  ${results.machine}, Node.js ${results.node}, load from ${results.generator}`,
  ];
  if (results.loadBefore > cpus().length / 4) {
    lines.push(
      `  The machine was busy before the run (load ${number(results.loadBefore, 1)}): believe the ratios by processor time only.`,
    );
  }
  if (results.throughput !== undefined) lines.push(...throughputLines(results.throughput));
  const { deploy, wakeWarm, wakeCold } = results;
  if (deploy !== undefined || wakeWarm !== undefined || wakeCold !== undefined) lines.push('', 'Starts (p50)');
  if (deploy !== undefined) lines.push(timesLine('deployment to first answer', deploy));
  if (wakeWarm !== undefined) lines.push(timesLine('first answer from 0 replicas, warm blank watchdog', wakeWarm, 10));
  if (wakeCold !== undefined) lines.push(timesLine('first answer from 0 replicas, pool off', wakeCold, 40));
  if (wakeWarm !== undefined && wakeCold !== undefined)
    lines.push(line('warm / pool off', number(wakeWarm.p50Ms / wakeCold.p50Ms)));
  if (results.storm !== undefined) lines.push(...stormLines(results.storm));
  if (results.memory !== undefined) lines.push(...memoryLines(results.memory));
  if (results.crowd !== undefined) lines.push(...crowdLines(results.crowd));
  if (results.bodies !== undefined) lines.push(...results.bodies.flatMap(bodyLines));
  if (results.cluster !== undefined) lines.push(...clusterLines(results.cluster));
  return `${lines.join('\n')}\n`;
};

// Calls per second and latency: through the gateway, and through and to what it is compared with. Every round measures
// all of them one after another, so that what else the machine does hits all alike.
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { call } from '../test/helpers/call.ts';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { startProgram } from '../test/helpers/process.ts';
import type { Aim, Finding } from './aim.ts';
import type { Generator, Measurement, Shape } from './measure.ts';
import { cpuSecondsOf } from './proc.ts';
import type { Scope } from './scope.ts';
import { median, pairedDifference, pairedRatio } from './stats.ts';
import { startBlank, startOnPort } from './watchdogs.ts';

export const targets = ['gateway', 'watchdog', 'watchdog-event', 'bare-server', 'bare-proxy', 'express-proxy'] as const;
export type Target = (typeof targets)[number];

export type ShapeName = { readonly method: 'GET' | 'POST'; readonly connections: number };

/** With the processor time of the target's own process, which says more than its speed where the machine has other work. */
export type TargetMeasurement = Measurement & { readonly cpuMicrosPerCall: number };

export type ThroughputRow = ShapeName & { readonly target: Target } & TargetMeasurement;

export type Comparison = ShapeName &
  Finding & {
    /** The same ratio of calls per second of processor time; only of speeds, and `NaN` where it cannot be read. */
    readonly cpuRatio?: number;
  };

export type Throughput = { readonly rows: readonly ThroughputRow[]; readonly comparisons: readonly Comparison[] };

const shapes: readonly ShapeName[] = [
  { method: 'GET', connections: 1 },
  { method: 'GET', connections: 64 },
  { method: 'POST', connections: 1 },
  { method: 'POST', connections: 64 },
];

type Claim = {
  readonly what: string;
  readonly ours: Target;
  readonly theirs: Target;
  readonly compare: 'callsPerS' | 'p99Ms' | 'addedP50Ms';
  /** Where the comparison is made; everywhere unless told. */
  readonly at?: number;
  readonly aim?: Aim;
  /** Where the aim counts; wherever the comparison is made unless told. */
  readonly aimAt?: number;
};

const claims: readonly Claim[] = [
  { what: 'gateway / watchdog called directly', ours: 'gateway', theirs: 'watchdog', compare: 'callsPerS' },
  {
    what: 'p50 that the gateway adds to the watchdog',
    ours: 'gateway',
    theirs: 'watchdog',
    compare: 'addedP50Ms',
    at: 1,
    aim: { atMost: 0.15 },
  },
  {
    what: 'gateway / bare undici proxy',
    ours: 'gateway',
    theirs: 'bare-proxy',
    compare: 'callsPerS',
    aim: { atLeast: 0.8 },
    aimAt: 64,
  },
  {
    what: 'p99 of gateway / bare undici proxy',
    ours: 'gateway',
    theirs: 'bare-proxy',
    compare: 'p99Ms',
    at: 64,
    aim: { atMost: 1.3 },
  },
  {
    what: 'gateway / http-proxy + express',
    ours: 'gateway',
    theirs: 'express-proxy',
    compare: 'callsPerS',
    aim: { atLeast: 2.5 },
    aimAt: 64,
  },
  {
    what: 'inproc web handler / bare node:http server',
    ours: 'watchdog',
    theirs: 'bare-server',
    compare: 'callsPerS',
    aim: { atLeast: 0.7 },
  },
  {
    what: 'inproc event handler / bare node:http server',
    ours: 'watchdog-event',
    theirs: 'bare-server',
    compare: 'callsPerS',
    aim: { atLeast: 0.8 },
  },
];

type Rounds = Readonly<Record<Target, TargetMeasurement[]>>;

const compare = (claim: Claim, name: ShapeName, rounds: Rounds): Comparison => {
  const { what, ours, theirs, aim: wanted, aimAt = name.connections } = claim;
  const of = (target: Target, key: 'callsPerS' | 'p50Ms' | 'p99Ms'): number[] => rounds[target].map((round) => round[key]);
  const perCpu = (target: Target): number[] => rounds[target].map((round) => 1 / round.cpuMicrosPerCall);
  const aim = aimAt === name.connections ? wanted : undefined;
  if (claim.compare === 'addedP50Ms') {
    const value = pairedDifference(of(ours, 'p50Ms'), of(theirs, 'p50Ms'));
    return { ...name, what, value, unit: 'ms', digits: 3, aim };
  }
  const value = pairedRatio(of(ours, claim.compare), of(theirs, claim.compare));
  const comparison: Comparison = { ...name, what, value, unit: '', digits: 2, aim };
  return claim.compare === 'callsPerS' ? { ...comparison, cpuRatio: pairedRatio(perCpu(ours), perCpu(theirs)) } : comparison;
};

type Running = { readonly url: string; readonly pid: number };

/** Starts one of the programs here that print where they listen. */
export const startBench = async (t: Scope, file: string, path: string, ...args: readonly string[]): Promise<Running> => {
  const program = startProgram(t, process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], { env: {} });
  return { url: `http://127.0.0.1:${(await program.until(/listening (\d+)/))[1]}${path}`, pid: program.pid };
};

/** @param gateway runs the function `bench` */
const startTargets = async (t: Scope, gateway: RunningGateway): Promise<Readonly<Record<Target, Running>>> => {
  // As the gateway does, the other proxies reach the function over a unix socket.
  const behind = await startBlank(t);
  await behind.specialize('web');
  const running = {
    gateway: { url: `${gateway.url}/function/bench`, pid: gateway.program().pid },
    watchdog: await startOnPort(t, 'web'),
    'watchdog-event': await startOnPort(t, 'event'),
    'bare-server': await startBench(t, 'bare-server.ts', '/'),
    'bare-proxy': await startBench(t, 'bare-proxy.ts', '/', behind.socketPath),
    'express-proxy': await startBench(t, 'express-proxy.ts', '/function/bench', behind.socketPath),
  };
  for (const [target, { url }] of Object.entries(running)) await checkAnswers(target, url);
  return running;
};

const checkAnswers = async (target: string, url: string): Promise<void> => {
  const path = new URL(url).pathname;
  const body = 'x'.repeat(1024);
  // On a kept connection, as the load comes: http-proxy may fail a POST whose connection the function closes.
  const agent = new Agent({ keepAlive: true });
  try {
    const got = await call(url, { path, agent });
    const posted = await call(url, { path, agent, method: 'POST', headers: { 'Content-Type': 'text/plain' }, body });
    if (got.text === 'hello' && posted.text === body) return;
    const shown = [got, posted].map(({ status, text }) => `${status} ${text.slice(0, 80)}`).join(', ');
    throw new Error(`expected hello and the body back, got ${shown}`);
  } catch (error) {
    throw new Error(`${target} does not answer as it should: ${(error as Error).message}`, { cause: error });
  } finally {
    agent.destroy();
  }
};

const measureTarget = async (generator: Generator, shape: Shape, pid: number): Promise<TargetMeasurement> => {
  const beforeS = await cpuSecondsOf(pid);
  const measured = await generator.measure(shape);
  const usedS = ((await cpuSecondsOf(pid)) ?? Number.NaN) - (beforeS ?? Number.NaN);
  return { ...measured, cpuMicrosPerCall: (usedS * 1e6) / measured.calls };
};

const middle = (rounds: readonly TargetMeasurement[]): TargetMeasurement => ({
  calls: rounds.reduce((sum, round) => sum + round.calls, 0),
  cpuMicrosPerCall: median(rounds.map((round) => round.cpuMicrosPerCall)),
  callsPerS: median(rounds.map((round) => round.callsPerS)),
  p50Ms: median(rounds.map((round) => round.p50Ms)),
  p99Ms: median(rounds.map((round) => round.p99Ms)),
  failures: rounds.reduce((sum, round) => sum + round.failures, 0),
});

export type ThroughputOptions = {
  readonly rounds: number;
  readonly durationMs: number;
  readonly generator: Generator;
  progress(line: string): void;
};

export const measureThroughput = async (t: Scope, gateway: RunningGateway, options: ThroughputOptions): Promise<Throughput> => {
  const running = await startTargets(t, gateway);
  const rows: ThroughputRow[] = [];
  const comparisons: Comparison[] = [];
  const shapeOf = (name: ShapeName, target: Target, durationMs: number): Shape => ({
    ...name,
    bodyBytes: 1024,
    url: running[target].url,
    durationMs,
  });
  for (const name of shapes) {
    options.progress(`${name.method}, ${name.connections} connection${name.connections === 1 ? '' : 's'}`);
    const rounds = Object.fromEntries(targets.map((target) => [target, []])) as unknown as Record<Target, TargetMeasurement[]>;
    for (const target of targets) await options.generator.measure(shapeOf(name, target, Math.min(1000, options.durationMs)));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const target of targets) {
        const shape = shapeOf(name, target, options.durationMs);
        rounds[target].push(await measureTarget(options.generator, shape, running[target].pid));
      }
    }
    for (const target of targets) rows.push({ ...name, target, ...middle(rounds[target]) });
    for (const claim of claims) {
      if ((claim.at ?? name.connections) === name.connections) comparisons.push(compare(claim, name, rounds));
    }
  }
  return { rows, comparisons };
};

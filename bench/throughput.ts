// Calls per second and latency: through the gateway, and through and to what it is compared with. Every round measures
// all of them one after another, so that what else the machine does hits all alike.
import { fileURLToPath } from 'node:url';
import { call } from '../test/helpers/call.ts';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { startProgram } from '../test/helpers/process.ts';
import type { Generator, Measurement, Shape } from './measure.ts';
import type { Scope } from './scope.ts';
import { median, pairedRatio } from './stats.ts';
import { startBlank, startOnPort } from './watchdogs.ts';

export const targets = ['gateway', 'watchdog', 'watchdog-event', 'bare-server', 'bare-proxy', 'express-proxy'] as const;
export type Target = (typeof targets)[number];

export type ShapeName = { readonly method: 'GET' | 'POST'; readonly connections: number };

export type ThroughputRow = ShapeName & { readonly target: Target } & Measurement;

export type Ratio = ShapeName & { readonly what: string; readonly ratio: number; readonly aim: number | undefined };

export type Throughput = { readonly rows: readonly ThroughputRow[]; readonly ratios: readonly Ratio[] };

const shapes: readonly ShapeName[] = [
  { method: 'GET', connections: 1 },
  { method: 'GET', connections: 64 },
  { method: 'POST', connections: 1 },
  { method: 'POST', connections: 64 },
];

type Claim = { readonly what: string; readonly ours: Target; readonly theirs: Target; readonly aim?: number };

const claims: readonly Claim[] = [
  { what: 'gateway / watchdog called directly', ours: 'gateway', theirs: 'watchdog' },
  { what: 'gateway / bare undici proxy', ours: 'gateway', theirs: 'bare-proxy', aim: 0.8 },
  { what: 'gateway / http-proxy + express', ours: 'gateway', theirs: 'express-proxy' },
  { what: 'inproc web handler / bare node:http server', ours: 'watchdog', theirs: 'bare-server', aim: 0.7 },
  { what: 'inproc event handler / bare node:http server', ours: 'watchdog-event', theirs: 'bare-server', aim: 0.8 },
];

const startBench = async (t: Scope, file: string, ...args: readonly string[]): Promise<string> => {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const program = startProgram(t, process.execPath, [path, ...args], { env: {} });
  return `http://127.0.0.1:${(await program.until(/listening (\d+)/))[1]}`;
};

/** @param gateway runs the function `bench` */
const startTargets = async (t: Scope, gateway: RunningGateway): Promise<Readonly<Record<Target, string>>> => {
  // As the gateway does, the other proxies reach the function over a unix socket.
  const behind = await startBlank(t);
  await behind.specialize('web');
  const urls = {
    gateway: `${gateway.url}/function/bench`,
    watchdog: `${await startOnPort(t, 'web')}/`,
    'watchdog-event': `${await startOnPort(t, 'event')}/`,
    'bare-server': `${await startBench(t, 'bare-server.ts')}/`,
    'bare-proxy': `${await startBench(t, 'bare-proxy.ts', behind.socketPath)}/`,
    'express-proxy': `${await startBench(t, 'express-proxy.ts', behind.socketPath)}/function/bench`,
  };
  for (const [target, url] of Object.entries(urls)) await checkAnswers(target, url);
  return urls;
};

const checkAnswers = async (target: string, url: string): Promise<void> => {
  const path = new URL(url).pathname;
  const got = await call(url, { path });
  const posted = await call(url, { path, method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'x'.repeat(1024) });
  if (got.text !== 'hello' || posted.text !== 'x'.repeat(1024)) {
    throw new Error(
      `${target} answers wrongly: ${got.status} ${got.text.slice(0, 80)}, ${posted.status} ${posted.text.slice(0, 80)}`,
    );
  }
};

const middle = (rounds: readonly Measurement[]): Measurement => ({
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
  const urls = await startTargets(t, gateway);
  const rows: ThroughputRow[] = [];
  const ratios: Ratio[] = [];
  const shapeOf = (name: ShapeName, target: Target, durationMs: number): Shape => ({
    ...name,
    bodyBytes: 1024,
    url: urls[target],
    durationMs,
  });
  for (const name of shapes) {
    options.progress(`${name.method}, ${name.connections} connection${name.connections === 1 ? '' : 's'}`);
    const rounds = Object.fromEntries(targets.map((target) => [target, []])) as unknown as Record<Target, Measurement[]>;
    for (const target of targets) await options.generator.measure(shapeOf(name, target, Math.min(1000, options.durationMs)));
    for (let round = 0; round < options.rounds; round += 1) {
      for (const target of targets)
        rounds[target].push(await options.generator.measure(shapeOf(name, target, options.durationMs)));
    }
    for (const target of targets) rows.push({ ...name, target, ...middle(rounds[target]) });
    for (const { what, ours, theirs, aim } of claims) {
      const perS = (target: Target): number[] => rounds[target].map((round) => round.callsPerS);
      ratios.push({ ...name, what, ratio: pairedRatio(perS(ours), perS(theirs)), aim });
    }
  }
  return { rows, ratios };
};

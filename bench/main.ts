// `npm run bench`: every claim about speed and size, measured in one run on the real product and printed as a ratio.
//   --quick         a smoke run of about half a minute; its numbers mean little
//   --json          one JSON object instead of text
//   --only a,b      of throughput, starts, storm, memory, crowd, bodies; and cluster, which needs a Kubernetes in KUBECONFIG
//                   and runs only when it is asked for
//   --full          bodies of 4 GiB too
//   --rounds n      of throughput, and --seconds s for each measurement in them; 5 and 2
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type RunningGateway, startGateway } from '../test/helpers/gateway.ts';
import { measureBodies } from './bodies.ts';
import { measureCluster } from './cluster.ts';
import { measureCrowd } from './crowd.ts';
import { makeBenchBundle, scale, sendToZero, settle } from './functions.ts';
import { removeSample } from './inside.ts';
import type { Generator } from './measure.ts';
import { gatewayBytes, watchdogMemory } from './memory.ts';
import { ownLoad } from './own-load.ts';
import { formatResults, type MemoryReport, machine, type Results } from './report.ts';
import { createScope, type Scope } from './scope.ts';
import { measureDeploys, measureWakes } from './starts.ts';
import { measureStorm } from './storm.ts';
import { measureThroughput } from './throughput.ts';
import { watchdogFile } from './watchdogs.ts';
import { findWrk } from './wrk.ts';

const unasked = ['throughput', 'starts', 'storm', 'memory', 'crowd', 'bodies'] as const;
const parts = [...unasked, 'cluster'] as const;
type Part = (typeof parts)[number];

const onOne: readonly Part[] = ['throughput', 'starts', 'storm', 'memory'];

const poolSize = 2;

type Sizes = {
  readonly rounds: number;
  readonly durationMs: number;
  readonly starts: number;
  readonly storm: number;
  readonly quietMs: number;
  readonly crowd: number;
  readonly bodies: readonly number[];
  readonly cluster: { readonly functions: number; readonly namespaces: number; readonly idleMs: number };
};

const gibibyte = 1024 ** 3;
const full: Sizes = {
  rounds: 5,
  durationMs: 2000,
  starts: 30,
  storm: 50,
  quietMs: 3000,
  crowd: 10_000,
  bodies: [gibibyte],
  cluster: { functions: 500, namespaces: 5, idleMs: 60_000 },
};
const quick: Sizes = {
  rounds: 1,
  durationMs: 1000,
  starts: 3,
  storm: 5,
  quietMs: 500,
  crowd: 100,
  bodies: [gibibyte / 4],
  cluster: { functions: 20, namespaces: 2, idleMs: 10_000 },
};

const startEmpty = async (t: Scope, pool: number): Promise<RunningGateway> => {
  const gateway = await startGateway(t, { args: ['--pool-size', String(pool), '--park-idle', '0', '--log-level', 'warn'] });
  await removeSample(gateway);
  await settle(gateway, pool);
  return gateway;
};

/** Functions that exist and have no replica. */
const makeParked = async (gateway: RunningGateway, count: number): Promise<string[]> => {
  const names = Array.from({ length: count }, (_, index) => `parked-${index}`);
  for (const name of names) {
    await gateway.deploy(name, await makeBenchBundle('parked'));
    await sendToZero(gateway, name);
  }
  return names;
};

type Found = { -readonly [Key in keyof Results]?: Results[Key] };

/** The parts that share one gateway. */
const runOnOne = async (t: Scope, wanted: ReadonlySet<Part>, sizes: Sizes, { generator, progress, results }: RunParts) => {
  progress('starting a gateway');
  const gateway = await startEmpty(t, poolSize);
  const idleGatewayBytes = wanted.has('memory') ? await gatewayBytes(gateway) : 0;
  const blank = wanted.has('memory') ? await watchdogMemory(gateway) : undefined;
  await gateway.deploy('bench', await makeBenchBundle('bench'));
  const atRest = poolSize + 1;
  await settle(gateway, atRest);

  if (wanted.has('throughput')) {
    const { rounds, durationMs } = sizes;
    results.throughput = await measureThroughput(t, gateway, { rounds, durationMs, generator, progress });
  }
  if (wanted.has('starts')) {
    progress('deployments');
    results.deploy = await measureDeploys(gateway, sizes.starts, atRest);
    progress('starts with a warm blank watchdog');
    results.wakeWarm = await measureWakes(gateway, sizes.starts, atRest);
    progress('starts without');
    const cold = createScope();
    results.wakeCold = await measureWakes(await startEmpty(cold, 0), sizes.starts, 0).finally(() => cold.close());
  }
  if (!wanted.has('storm') && !wanted.has('memory')) return;
  progress(`${sizes.storm} functions`);
  const beforeBytes = wanted.has('memory') ? await gatewayBytes(gateway) : 0;
  const names = await makeParked(gateway, sizes.storm);
  await settle(gateway, atRest);
  const afterBytes = wanted.has('memory') ? await gatewayBytes(gateway) : 0;
  if (wanted.has('storm')) results.storm = await measureStorm(t, gateway, 'bench', names, sizes.quietMs);
  else await Promise.all(names.map((name) => scale(gateway, name, 1)));
  if (blank === undefined) return;
  await settle(gateway, atRest + names.length);
  const running = await watchdogMemory(gateway);
  results.memory = {
    idleGatewayBytes,
    blankWatchdogBytes: blank.rssBytes,
    blankWatchdogOwnBytes: blank.pssBytes,
    runningFunctionBytes: running.rssBytes,
    runningFunctionOwnBytes: running.pssBytes,
    parkedFunctionBytes: (afterBytes - beforeBytes) / names.length,
  } satisfies MemoryReport;
};

type RunParts = { readonly generator: Generator; progress(line: string): void; readonly results: Found };

const inScope = async (step: (t: Scope) => Promise<void>): Promise<void> => {
  const scope = createScope();
  await step(scope).finally(() => scope.close());
};

const run = async (wanted: ReadonlySet<Part>, sizes: Sizes, progress: (line: string) => void): Promise<Found> => {
  const generator = (await findWrk()) ?? ownLoad;
  const results: Found = { generator: generator.name };
  if (onOne.some((part) => wanted.has(part))) {
    await inScope((t) => runOnOne(t, wanted, sizes, { generator, progress, results }));
  }
  if (wanted.has('crowd')) {
    const { rounds, crowd: functions } = sizes;
    // Long enough for two scrapes.
    const durationMs = sizes.durationMs * 3;
    await inScope(async (t) => {
      results.crowd = await measureCrowd(t, { functions, rounds, durationMs, generator, progress });
    });
  }
  if (wanted.has('bodies')) results.bodies = await measureBodies(sizes.bodies, progress);
  if (wanted.has('cluster')) {
    const { KUBECONFIG: kubeconfig } = process.env;
    await inScope(async (t) => {
      results.cluster = await measureCluster(t, { ...sizes.cluster, kubeconfig, progress });
    });
  }
  return results;
};

const wholeNumber = (option: string, text: string | undefined, fallback: number): number => {
  if (text === undefined) return fallback;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new Error(`--${option}: expected a whole number of 1 or more, got ${JSON.stringify(text)}`);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: unasked.join(',') },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      full: { type: 'boolean', default: false },
    },
  });
  const asked = values.only.split(',');
  const unknown = asked.filter((part) => !parts.includes(part as Part));
  if (unknown.length > 0) throw new Error(`--only: expected some of ${parts.join(', ')}, got ${unknown.join(', ')}`);
  const sizes = values.quick ? quick : full;
  const rounds = wholeNumber('rounds', values.rounds, sizes.rounds);
  const durationMs = wholeNumber('seconds', values.seconds, sizes.durationMs / 1000) * 1000;
  if (!existsSync(watchdogFile)) throw new Error('dist/ is missing: run `npm run build` first');
  const loadBefore = loadavg()[0] ?? 0;
  const progress = (line: string): void => void process.stderr.write(`… ${line}\n`);
  const bodies = values.full ? [...sizes.bodies, 4 * gibibyte] : sizes.bodies;
  const measured = await run(new Set(asked as Part[]), { ...sizes, rounds, durationMs, bodies }, progress);
  const results: Results = {
    node: process.versions.node,
    machine: machine(),
    quick: values.quick,
    loadBefore,
    ...measured,
    generator: measured.generator ?? '',
  };
  process.stdout.write(values.json ? `${JSON.stringify(results, null, 2)}\n` : formatResults(results));
};

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

// What it costs a function that it has 10,000 neighbours: calls of one among many against the same among ten, each gateway
// scraped every second meanwhile; how long and how large a scrape is, and how late everything else was because of it;
// and the gateway's memory for each function.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import type { Finding } from './aim.ts';
import { expectStatus, makeBenchBundle, settle } from './functions.ts';
import { type OpenGateway, startOpenGateway } from './inside.ts';
import type { Generator, Measurement } from './measure.ts';
import { memory } from './memory.ts';
import { cpuSecondsOf } from './proc.ts';
import type { Scope } from './scope.ts';
import { type Delays, delaysOf, readDelays, type Scrape, scrapeOnce, startScraping, type Watched } from './scrapes.ts';
import { median, pairedRatio, percentile } from './stats.ts';

export type Side = {
  readonly functions: number;
  /** As the calls left it. */
  readonly usedBytes: number;
  /** After a collection, and time to give back what it freed. */
  readonly residentBytes: number;
  readonly liveBytes: number;
  /** Scraped every second. */
  readonly rounds: readonly Counted[];
  readonly scrapes: readonly Scrape[];
  /** The same calls, scraped every five seconds. */
  readonly seldom: readonly Counted[];
  /** And while nobody scrapes. */
  readonly quiet: readonly Counted[];
  readonly delays: Delays;
  /** The longest turn of the event loop in ten scrapes, in ms of the main thread's processor time. */
  readonly longestTurnMs: number;
};

/** With the calls for each second of processor time that the gateway has used, scrapes included. */
export type Counted = Measurement & { readonly callsPerCpuS: number };

export type Crowd = { readonly few: Side; readonly many: Side; readonly deployS: number };

export type CrowdOptions = {
  /** How many functions are many. */
  readonly functions: number;
  readonly rounds: number;
  readonly durationMs: number;
  readonly generator: Generator;
  progress(line: string): void;
};

const fewFunctions = 10;
const connections = 64;
const deploysAtOnce = 16;
const scrapesAlone = 10;

/** All of one bundle; put to zero right after, so that most never start. */
const deployParked = async (gateway: RunningGateway, count: number, progress: (line: string) => void): Promise<void> => {
  const { image, digest, bytes } = await makeBenchBundle('crowd');
  const upload = await gateway.control('PUT', `/system/bundles/${digest}`, bytes);
  if (upload.status >= 300) throw new Error(`upload: ${upload.status} ${upload.text}`);
  let next = 0;
  const deploySome = async (): Promise<void> => {
    while (next < count) {
      const service = `crowd-${next}`;
      next += 1;
      if (next % 1000 === 0) progress(`crowd: ${next} functions`);
      expectStatus(await gateway.control('POST', '/system/functions', { service, image }), 202, `deploy ${service}`);
      const scaled = await gateway.control('POST', `/system/scale-function/${service}`, { serviceName: service, replicas: 0 });
      expectStatus(scaled, 202, `scale ${service}`);
    }
  };
  await Promise.all(Array.from({ length: deploysAtOnce }, deploySome));
};

/** A process of its own for each round: two of the same program differ by more than what is to be found here. */
const startAgain = async ({ gateway }: OpenGateway): Promise<void> => {
  await gateway.kill('SIGTERM');
  await gateway.restart();
  await settle(gateway, 1);
};

const startSide = async (t: Scope, functions: number, progress: (line: string) => void): Promise<OpenGateway> => {
  const open = await startOpenGateway(t, true);
  await deployParked(open.gateway, functions - 1, progress);
  await settle(open.gateway, 0);
  await open.gateway.deploy('bench', await makeBenchBundle('bench'));
  return open;
};

type Round = Watched & {
  readonly often: Counted;
  readonly scrapes: readonly Scrape[];
  readonly seldom: Counted;
  readonly quiet: Counted;
};

/** Until V8 has compiled the way of a call. */
const warmMs = 2000;

const measureRound = async (open: OpenGateway, { generator, durationMs }: CrowdOptions): Promise<Round> => {
  const { gateway } = open;
  // What the deployments have left behind is not what a function costs, either.
  await startAgain(open);
  const shape = { url: `${gateway.url}/function/bench`, method: 'GET', bodyBytes: 0, connections, durationMs } as const;
  const { pid } = gateway.program();
  const usedS = async (): Promise<number> => (await cpuSecondsOf(pid)) ?? Number.NaN;
  const measure = async (scrapeEveryMs?: number): Promise<{ counted: Counted; scrapes: Scrape[] }> => {
    const beforeS = await usedS();
    const scraping = scrapeEveryMs === undefined ? undefined : startScraping(gateway, scrapeEveryMs);
    const measured = await generator.measure(shape).finally(() => scraping?.stop());
    const scrapes = (await scraping?.stop()) ?? [];
    return { counted: { ...measured, callsPerCpuS: measured.calls / ((await usedS()) - beforeS) }, scrapes };
  };
  await generator.measure({ ...shape, durationMs: Math.min(warmMs, durationMs) });
  const delaysBefore = await readDelays(gateway);
  const { counted: quiet } = await measure();
  const { counted: often, scrapes } = await measure(1000);
  const { counted: seldom } = await measure(5000);
  return { often, scrapes, seldom, quiet, delaysBefore, delaysAfter: await readDelays(gateway) };
};

type Measured = { readonly functions: number; readonly rounds: readonly Round[] };

/** V8 keeps the pages that a collection has emptied for some 25 s, in case they are needed again. */
const givenBackMs = 40_000;

const toSide = async ({ gateway, snapshot, collect }: OpenGateway, { functions, rounds }: Measured): Promise<Side> => {
  const resident = async (): Promise<number> => (await memory(gateway.program().pid)).rssBytes;
  const usedBytes = await resident();
  collect();
  await sleep(givenBackMs);
  const residentBytes = await resident();
  // The first one makes what counting needs, the second counts.
  await snapshot();
  const { liveBytes } = await snapshot();
  for (let count = 0; count < scrapesAlone; count += 1) await scrapeOnce(gateway);
  const { longestTurnMs = Number.NaN } = await snapshot();
  return {
    functions,
    usedBytes,
    residentBytes,
    liveBytes,
    longestTurnMs,
    rounds: rounds.map(({ often }) => often),
    seldom: rounds.map(({ seldom }) => seldom),
    scrapes: rounds.flatMap(({ scrapes }) => scrapes),
    quiet: rounds.map(({ quiet }) => quiet),
    delays: delaysOf(rounds),
  };
};

export const measureCrowd = async (t: Scope, options: CrowdOptions): Promise<Crowd> => {
  const { functions, progress } = options;
  const few = await startSide(t, fewFunctions, progress);
  const startedMs = performance.now();
  const many = await startSide(t, functions, progress);
  const deployS = (performance.now() - startedMs) / 1000;
  progress('crowd: calls');
  const rounds = { few: [] as Round[], many: [] as Round[] };
  for (let round = 0; round < options.rounds; round += 1) {
    rounds.few.push(await measureRound(few, options));
    rounds.many.push(await measureRound(many, options));
  }
  progress('crowd: memory');
  const [ofFew, ofMany] = await Promise.all([
    toSide(few, { functions: fewFunctions, rounds: rounds.few }),
    toSide(many, { functions, rounds: rounds.many }),
  ]);
  return { deployS, few: ofFew, many: ofMany };
};

/** How many times as long the slowest hundredth took. */
const slower = (ours: readonly Counted[], theirs: readonly Counted[]): number =>
  pairedRatio(
    ours.map(({ p99Ms }) => p99Ms),
    theirs.map(({ p99Ms }) => p99Ms),
  );

export const crowdFindings = ({ few, many }: Crowd): Finding[] => {
  const of = (side: Side, key: 'callsPerS' | 'callsPerCpuS' | 'p99Ms'): number[] => side.rounds.map((round) => round[key]);
  const failures = [...few.rounds, ...many.rounds].reduce((sum, round) => sum + round.failures, 0);
  const more = many.functions - few.functions;
  const took = many.scrapes.map(({ tookMs }) => tookMs);
  const kilobytes = (key: 'usedBytes' | 'residentBytes' | 'liveBytes'): number => (many[key] - few[key]) / more / 1e3;
  return [
    { what: `calls/s among ${few.functions}`, value: median(of(few, 'callsPerS')), unit: '/s', digits: 0 },
    { what: `calls/s among ${many.functions}`, value: median(of(many, 'callsPerS')), unit: '/s', digits: 0 },
    {
      what: 'calls/s, many / few',
      value: pairedRatio(of(many, 'callsPerS'), of(few, 'callsPerS')),
      unit: '',
      digits: 2,
      aim: { atLeast: 0.95 },
    },
    {
      what: 'the same by processor time',
      value: pairedRatio(of(many, 'callsPerCpuS'), of(few, 'callsPerCpuS')),
      unit: '',
      digits: 2,
      aim: { atLeast: 0.95 },
    },
    {
      what: 'the same while nobody scrapes',
      value: pairedRatio(
        many.quiet.map(({ callsPerCpuS }) => callsPerCpuS),
        few.quiet.map(({ callsPerCpuS }) => callsPerCpuS),
      ),
      unit: '',
      digits: 2,
    },
    {
      what: 'p99, many / few',
      value: pairedRatio(of(many, 'p99Ms'), of(few, 'p99Ms')),
      unit: '',
      digits: 2,
      aim: { atMost: 1.3 },
    },
    { what: 'calls that failed', value: failures, unit: '', digits: 0, aim: { atMost: 0 } },
    { what: 'p99 of many, scraped every second / not', value: slower(many.rounds, many.quiet), unit: '', digits: 2 },
    { what: 'p99 of many, scraped every five / not', value: slower(many.seldom, many.quiet), unit: '', digits: 2 },
    { what: 'a scrape of many takes (median)', value: percentile(took, 0.5), unit: 'ms', digits: 0 },
    { what: 'and at most', value: percentile(took, 1), unit: 'ms', digits: 0 },
    {
      what: 'it has',
      value:
        percentile(
          many.scrapes.map(({ bytes }) => bytes),
          0.5,
        ) / 1e6,
      unit: 'MB',
      digits: 1,
    },
    {
      what: 'longest turn of the event loop in ten scrapes',
      value: many.longestTurnMs,
      unit: 'ms',
      digits: 1,
      aim: { atMost: 5 },
    },
    { what: 'event loop late meanwhile, 99.9 % under', value: many.delays.p999Ms, unit: 'ms', digits: 1 },
    { what: 'and all of it under', value: many.delays.mostMs, unit: 'ms', digits: 1 },
    {
      what: 'resident memory of the gateway a function',
      value: kilobytes('residentBytes'),
      unit: 'kB',
      digits: 1,
      aim: { atMost: 4 },
    },
    { what: 'before a collection', value: kilobytes('usedBytes'), unit: 'kB', digits: 1 },
    { what: 'of it live', value: kilobytes('liveBytes'), unit: 'kB', digits: 1, aim: { atMost: 4 } },
  ];
};

// Whether calls leave anything behind: memory, timers, sockets, open files.
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import type { Finding } from './aim.ts';
import { makeOpenBundle, type OpenGateway, snapshotOfFunction, startOpenGateway } from './inside.ts';
import type { Generator, Shape } from './measure.ts';
import { memory } from './memory.ts';
import { watchdogsUnder } from './proc.ts';
import type { Scope } from './scope.ts';
import type { Snapshot } from './snapshot.ts';
import { type Point, slope } from './stats.ts';

/** Wholes in numbers of things, `liveBytes` aside. */
export type Held = Snapshot & { readonly files: number };
export type Sides<Value> = { readonly gateway: Value; readonly watchdog: Value };

export type Leaks = {
  readonly calls: number;
  readonly failures: number;
  readonly durationMs: number;
  /** Resident memory in MB over calls in millions. */
  readonly resident: Sides<readonly Point[]>;
  readonly before: Sides<Held>;
  readonly after: Sides<Held>;
};

const counted = ['files', 'handles', 'sockets', 'timers', 'messages'] as const;

const openFiles = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

const look = async ({ gateway, snapshot }: OpenGateway, pids: Sides<number>): Promise<Sides<Held>> => {
  const watchdog = await snapshotOfFunction(gateway, 'soaked');
  // The connection of that call is closed, and the gateway may have to hear of it.
  await sleep(50);
  return {
    gateway: { ...(await snapshot()), files: await openFiles(pids.gateway) },
    watchdog: { ...watchdog, files: await openFiles(pids.watchdog) },
  };
};

const exceeds = (now: Held, then: Held): boolean => counted.some((key) => now[key] > then[key]);

/** What is held once no more of it goes; at most after `limitMs`, as connections are kept open for a while. */
const lookWhenCalm = async (
  open: OpenGateway,
  pids: Sides<number>,
  isCalm: (held: Sides<Held>) => boolean,
  limitMs: number,
): Promise<Sides<Held>> => {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const held = await look(open, pids);
    if (isCalm(held) || performance.now() > endMs) return held;
    await sleep(1000);
  }
};

/** Kept connections and fresh ones, with bodies and without. */
const shapesOf = (gateway: RunningGateway, durationMs: number): readonly Shape[] => {
  const shape = { url: `${gateway.url}/function/soaked`, bodyBytes: 1024, connections: 64, durationMs } as const;
  return [
    { ...shape, method: 'GET' },
    { ...shape, method: 'POST' },
    { ...shape, method: 'GET', fresh: true },
  ];
};

export type LeakOptions = {
  readonly calls: number;
  readonly generator: Generator;
  progress(line: string): void;
};

/** @throws Error where the system does not tell what processes use */
export const measureLeaks = async (t: Scope, { calls, generator, progress }: LeakOptions): Promise<Leaks> => {
  const open = await startOpenGateway(t);
  const { gateway } = open;
  await gateway.deploy('soaked', await makeOpenBundle('soaked'));
  const [watchdog = 0] = await watchdogsUnder(gateway.program().pid);
  const pids = { gateway: gateway.program().pid, watchdog };
  const shapes = shapesOf(gateway, 2000);
  progress('soak: warming up');
  for (const shape of shapes) await generator.measure({ ...shape, durationMs: 1000 });
  const before = await lookWhenCalm(open, pids, ({ gateway: { sockets } }) => sockets < 8, 15_000);

  const resident = { gateway: [] as Point[], watchdog: [] as Point[] };
  const startedMs = performance.now();
  let [done, failures, told] = [0, 0, 0];
  for (let leg = 0; done < calls; leg += 1) {
    const measured = await generator.measure(shapes[leg % shapes.length] as Shape);
    if (measured.calls === 0) throw new Error(`no call was answered\n${gateway.program().stderr()}`);
    done += measured.calls;
    failures += measured.failures;
    for (const side of ['gateway', 'watchdog'] as const) {
      resident[side].push({ x: done / 1e6, y: (await memory(pids[side])).rssBytes / 1e6 });
    }
    if (done - told >= calls / 10) {
      told = done;
      const now = resident.gateway.at(-1)?.y ?? Number.NaN;
      progress(`soak: ${(done / 1e6).toFixed(2)} million calls, gateway ${now.toFixed(1)} MB`);
    }
  }
  const durationMs = performance.now() - startedMs;
  const isBack = (held: Sides<Held>): boolean =>
    !exceeds(held.gateway, before.gateway) && !exceeds(held.watchdog, before.watchdog);
  const after = await lookWhenCalm(open, pids, isBack, 60_000);
  return { calls: done, failures, durationMs, resident, before, after };
};

/** The last 80 %, when what is kept for speed has been made. */
export const lastPart = (points: readonly Point[]): readonly Point[] => {
  const end = points.at(-1)?.x ?? 0;
  return points.filter(({ x }) => x >= end * 0.2);
};

export const leakFindings = ({ calls, failures, resident, before, after }: Leaks): Finding[] => {
  const findings: Finding[] = [{ what: 'calls that failed', value: failures, unit: '', digits: 0, aim: { atMost: 0 } }];
  for (const side of ['gateway', 'watchdog'] as const) {
    const of = (what: string): string => `${side}: ${what}`;
    findings.push({
      what: of('slope of resident memory, last 80 %, a million calls'),
      value: slope(lastPart(resident[side])),
      unit: 'MB',
      digits: 2,
      aim: { atMost: 1 },
    });
    const live = (after[side].liveBytes - before[side].liveBytes) / calls;
    findings.push({ what: of('live memory that stays, a million calls'), value: live, unit: 'MB', digits: 3 });
    for (const key of counted) {
      const aim = { atMost: before[side][key] };
      findings.push({ what: of(`${key} at the end`), value: after[side][key], unit: '', digits: 0, aim });
    }
  }
  return findings;
};

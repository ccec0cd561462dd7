// What callers of one function notice when many others start at once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { type LoadAnswer, startLoad } from '../test/helpers/load.ts';
import { expectStatus } from './functions.ts';
import type { Scope } from './scope.ts';
import { percentile } from './stats.ts';

export type Storm = {
  readonly starts: number;
  /** From the first wake-up until all had answered. */
  readonly durationMs: number;
  readonly quietP99Ms: number;
  readonly stormP99Ms: number;
  readonly failures: number;
};

const latencies = (answers: readonly LoadAnswer[], fromMs: number, toMs: number): number[] =>
  answers.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs).map(({ sentMs, answeredMs }) => answeredMs - sentMs);

const now = (): number => performance.timeOrigin + performance.now();

/**
 * Wakes every function of `names` at the same moment.
 * @param steady a function that answers all the while
 */
export const measureStorm = async (
  t: Scope,
  gateway: RunningGateway,
  steady: string,
  names: readonly string[],
  quietMs: number,
): Promise<Storm> => {
  const load = await startLoad(t, {
    target: { host: '127.0.0.1', port: gateway.port },
    path: `/function/${steady}`,
    ratePerS: 200,
    freshEvery: 0,
    echoes: false,
    headers: { 'Content-Type': 'text/plain' },
  });
  await sleep(500);
  const quietFromMs = now();
  await sleep(quietMs);
  const stormFromMs = now();
  await Promise.all(names.map(async (name) => expectStatus(await gateway.call(name), 200, `wake ${name}`)));
  const stormToMs = now();
  const { answers, failures } = await load.stop();
  return {
    starts: names.length,
    durationMs: stormToMs - stormFromMs,
    quietP99Ms: percentile(latencies(answers, quietFromMs, stormFromMs), 0.99),
    stormP99Ms: percentile(latencies(answers, stormFromMs, stormToMs), 0.99),
    failures: failures.length,
  };
};

// Functions on a running gateway, moved between zero and running as the measurements need them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionStatus } from '../provider/types/function.ts';
import { makeHandlerBundle, type TestBundle } from '../test/helpers/bundle.ts';
import { eventually } from '../test/helpers/eventually.ts';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { watchdogsUnder } from './proc.ts';
import { webSource } from './watchdogs.ts';

export const makeBenchBundle = (name: string): Promise<TestBundle> => makeHandlerBundle(name, webSource);

/** @throws Error with the answer when the status is another */
export const expectStatus = (answer: { readonly status: number; readonly text: string }, status: number, what: string): void => {
  if (answer.status !== status) throw new Error(`${what}: expected ${status}, got ${answer.status} ${answer.text}`);
};

export const statusOf = async (gateway: RunningGateway, name: string): Promise<FunctionStatus> =>
  JSON.parse((await gateway.control('GET', `/system/function/${name}`)).text);

export const scale = async (gateway: RunningGateway, name: string, replicas: number): Promise<void> => {
  const answer = await gateway.control('POST', `/system/scale-function/${name}`, { serviceName: name, replicas });
  expectStatus(answer, 202, `scale ${name}`);
};

/** Resolves when it has no replica any more, not even one that drains. */
export const sendToZero = async (gateway: RunningGateway, name: string): Promise<void> => {
  await scale(gateway, name, 0);
  await eventually(async () => ((await statusOf(gateway, name)).availableReplicas ?? 0) === 0, { what: `${name} at zero` });
};

/**
 * Resolves when exactly `count` watchdogs run under the gateway, and had time to boot: what is left of a replica is gone,
 * and the pool is full again.
 */
export const settle = async (gateway: RunningGateway, count: number): Promise<void> => {
  if (process.platform === 'linux') {
    const pid = gateway.program().pid;
    await eventually(async () => (await watchdogsUnder(pid)).length === count, {
      what: `${count} watchdogs under the gateway`,
      timeoutMs: 30_000,
      intervalMs: 25,
    });
  }
  await sleep(process.platform === 'linux' ? 150 : 1500);
};

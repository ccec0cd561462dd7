// What the parts cost in memory while nobody calls.
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { type Memory, memoryOf, watchdogsUnder } from './proc.ts';
import { median } from './stats.ts';

/** @throws Error where the system does not tell */
export const memory = async (pid: number): Promise<Memory> => {
  const found = await memoryOf(pid);
  if (found === undefined) throw new Error(`the memory of process ${pid} cannot be read on this system`);
  return found;
};

/** The gateway's own process, after what it did last has settled. */
export const gatewayBytes = async (gateway: RunningGateway): Promise<number> => {
  await sleep(500);
  return (await memory(gateway.program().pid)).rssBytes;
};

/** The middle one of all watchdogs that run under the gateway. */
export const watchdogMemory = async (gateway: RunningGateway): Promise<Memory> => {
  const all = await Promise.all((await watchdogsUnder(gateway.program().pid)).map((pid) => memory(pid)));
  return { rssBytes: median(all.map((each) => each.rssBytes)), pssBytes: median(all.map((each) => each.pssBytes)) };
};

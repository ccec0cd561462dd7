// What a process holds, counted from inside after a full collection. It runs in the gateway (probe.ts) and, with its types
// taken off, as part of a function in the watchdog; so it imports nothing but Node.js itself.
import { IncomingMessage, OutgoingMessage } from 'node:http';
import { Socket } from 'node:net';
import { queryObjects } from 'node:v8';

export type Snapshot = {
  /** JavaScript objects and what hangs on them outside of the heap. */
  readonly liveBytes: number;
  readonly timers: number;
  readonly sockets: number;
  /** Requests and answers, of servers and of clients. */
  readonly messages: number;
  /** What keeps the event loop alive. */
  readonly handles: number;
};

export type GatewaySnapshot = Snapshot & {
  /** Since the snapshot before, where turns are watched. */
  readonly longestTurnMs?: number | undefined;
};

type Constructor = new (...args: never[]) => unknown;

// The query collects everything that nobody holds before it counts.
const countOf = (made: Constructor): number => queryObjects(made as never, { format: 'count' }) as unknown as number;

// Node.js does not export it.
const kindOfTimers = (): Constructor => {
  const timer = setTimeout(() => undefined, 0);
  clearTimeout(timer);
  return timer.constructor as Constructor;
};
const Timer = kindOfTimers();

export const takeSnapshot = (): Snapshot => {
  const counts = {
    timers: countOf(Timer),
    sockets: countOf(Socket),
    messages: countOf(IncomingMessage) + countOf(OutgoingMessage),
    handles: process.getActiveResourcesInfo().length,
  };
  const { heapUsed, external } = process.memoryUsage();
  return { liveBytes: heapUsed + external, ...counts };
};

// Blank watchdogs that have booted and wait to be told which function they are.

import { blankBoot, type Launched, type Launcher } from './launcher.ts';
import type { Log } from './log.ts';

export interface Pool {
  /** One that is ready, or else one that is about to be; `undefined` when there is none. Another takes its place later. */
  take(): Launched | undefined;
  /** Blanks that are ready. */
  ready(): number;
  /** False while blanks end again and again before they are ready. */
  healthy(): boolean;
  close(): Promise<void>;
}

export type PoolParts = {
  readonly size: number;
  readonly launcher: Launcher;
  readonly log: Log;
  /** True while functions are starting: refilling waits, it would compete with them. */
  readonly busy: () => boolean;
  readonly refillPauseMs?: number;
};

const slowestRefillMs = 30_000;

export const createPool = (parts: PoolParts): Pool => {
  const { size, launcher, log, refillPauseMs = 150 } = parts;
  const blanks = new Set<Launched>();
  const readyOnes = new Set<Launched>();
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let closed = false;
  let launching: Promise<void> | undefined;

  const schedule = (delayMs: number): void => {
    if (closed || blanks.size >= size) return;
    clearTimeout(timer);
    timer = setTimeout(refill, delayMs).unref();
  };

  const forget = (blank: Launched): void => {
    if (!blanks.delete(blank)) return;
    readyOnes.delete(blank);
    failures += 1;
    const delayMs = Math.min(slowestRefillMs, refillPauseMs * 2 ** failures);
    log.warn({ pid: blank.child.pid, retryMs: delayMs }, 'a blank watchdog ended before it was used');
    void blank.cleanUp();
    schedule(delayMs);
  };

  const launch = async (): Promise<void> => {
    let blank: Launched | undefined;
    try {
      blank = await launcher.launch(blankBoot);
      if (closed) return await blank.cleanUp();
      blanks.add(blank);
      const launched = blank;
      void launched.child.exited.then(() => forget(launched));
      await blank.child.ready;
      blank.confinement.started();
      failures = 0;
      if (blanks.has(blank)) readyOnes.add(blank);
    } catch (error) {
      // One that was there is counted where its end is seen, and not at all when it was taken.
      if (blank !== undefined) return;
      failures += 1;
      log.debug({ err: error }, 'no blank watchdog could be started');
    }
  };

  const refill = (): void => {
    if (closed || launching !== undefined || blanks.size >= size) return;
    if (parts.busy()) {
      schedule(refillPauseMs);
      return;
    }
    launching = launch().finally(() => {
      launching = undefined;
      schedule(Math.min(slowestRefillMs, failures === 0 ? 0 : refillPauseMs * 2 ** failures));
    });
  };

  schedule(0);

  return {
    take: () => {
      const [blank] = readyOnes.size > 0 ? readyOnes : blanks;
      if (blank === undefined) return undefined;
      blanks.delete(blank);
      readyOnes.delete(blank);
      schedule(refillPauseMs);
      return blank;
    },
    ready: () => readyOnes.size,
    healthy: () => failures < 3,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      const left = [...blanks];
      blanks.clear();
      readyOnes.clear();
      await Promise.all([launching, ...left.map((blank) => blank.cleanUp())]);
    },
  };
};

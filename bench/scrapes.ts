// Scrapes of a gateway, and what its own histogram tells of its event loop.
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../test/helpers/call.ts';
import type { RunningGateway } from '../test/helpers/gateway.ts';

export type Scrape = { readonly tookMs: number; readonly bytes: number };

/** Of the gateway's event loop while it was called and scraped: the smallest bucket that has 99.9 % of the delays, and all. */
export type Delays = { readonly p999Ms: number; readonly mostMs: number };

/** Delays counted before and after something, by the upper bound of their bucket in ms. */
export type Watched = { readonly delaysBefore: Map<number, number>; readonly delaysAfter: Map<number, number> };

/** One scrape, as Prometheus makes it. */
export const scrapeOnce = async (gateway: RunningGateway): Promise<{ readonly scrape: Scrape; readonly text: string }> => {
  const startedMs = performance.now();
  const { status, text, body } = await call(`http://127.0.0.1:${gateway.metricsPort}`, { path: '/metrics' });
  if (status !== 200) throw new Error(`scrape: expected 200, got ${status}`);
  return { scrape: { tookMs: performance.now() - startedMs, bytes: body.length }, text };
};

/** Delays counted so far, by the upper bound of their bucket in ms. */
export const readDelays = async (gateway: RunningGateway): Promise<Map<number, number>> => {
  const { text } = await scrapeOnce(gateway);
  const lines = text.matchAll(/^sluice_event_loop_delay_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm);
  return new Map([...lines].map(([, bound = '', count]) => [Number(bound.replace('+Inf', 'Infinity')) * 1000, Number(count)]));
};

export const delaysOf = (rounds: readonly Watched[]): Delays => {
  const bounds = [...(rounds[0]?.delaysAfter.keys() ?? [])];
  const inRound = ({ delaysBefore, delaysAfter }: Watched, bound: number): number =>
    (delaysAfter.get(bound) ?? 0) - (delaysBefore.get(bound) ?? 0);
  const counts = bounds.map((bound) => [bound, rounds.reduce((sum, round) => sum + inRound(round, bound), 0)] as const);
  const all = counts.at(-1)?.[1] ?? 0;
  const first = (share: number): number => counts.find(([, count]) => count >= all * share)?.[0] ?? 0;
  return { p999Ms: first(0.999), mostMs: first(1) };
};

/** Until it is stopped. */
export const startScraping = (gateway: RunningGateway, everyMs: number): { stop(): Promise<Scrape[]> } => {
  const stopping = new AbortController();
  const run = async (): Promise<Scrape[]> => {
    const scrapes: Scrape[] = [];
    while (!stopping.signal.aborted) {
      const { scrape } = await scrapeOnce(gateway);
      scrapes.push(scrape);
      await sleep(Math.max(0, everyMs - scrape.tookMs), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    return scrapes;
  };
  const done = run();
  done.catch(() => undefined);
  return {
    stop() {
      stopping.abort();
      return done;
    },
  };
};

// The series of every function: counted by the invocation path, kept in step with the provider's functions, so that a
// removed function's series go and a name that was never deployed makes none. OpenFaaS contract, 3.1 and 3.2.
import type { ProviderObserver } from '../../provider/provider.ts';
import { formatRef } from '../../provider/types/name.ts';
import { type Page, Pages } from './page.ts';
import { FunctionSeries, rowWidth, type ScaleCause } from './series.ts';
import { createSlots } from './slots.ts';
import { AllWaits } from './waits.ts';

export interface FunctionMetrics {
  /** @param key `name.namespace` */
  of(key: string): FunctionSeries | undefined;
  scaled(key: string, cause: ScaleCause): void;
  /** Register it before the function table, so that a function's series exist before its first call. */
  readonly observer: ProviderObserver;
  /** Finished calls since the gateway started, over all codes. */
  countOf(key: string): number;
  /** For one scrape: all functions there are now, in pages. */
  pages(): readonly Page<FunctionSeries>[];
  /** For one scrape: those that were called; what is removed meanwhile has `removed` set and its rows given back. */
  called(): readonly FunctionSeries[];
  readonly row: (row: number, column: number) => number;
  /** Over all functions, removed ones included. */
  readonly all: AllWaits;
}

export const createFunctionMetrics = (): FunctionMetrics => {
  const byKey = new Map<string, FunctionSeries>();
  const pages = new Pages<FunctionSeries>();
  const books = { slots: createSlots(rowWidth), called: new Set<FunctionSeries>(), all: new AllWaits() };

  const observer: ProviderObserver = {
    functionChanged(report) {
      const key = formatRef(report.ref);
      const series = byKey.get(key) ?? new FunctionSeries(key, pages.roomy(), books);
      byKey.set(key, series);
      series.report(report);
    },
    functionRemoved(ref) {
      const series = byKey.get(formatRef(ref));
      if (series === undefined) return;
      byKey.delete(series.key);
      series.remove();
      pages.remove(series.page, series);
    },
    endpointReady: (ref, endpoint) => byKey.get(formatRef(ref))?.endpointReady(endpoint.id),
    async endpointGone(ref, endpointId) {
      byKey.get(formatRef(ref))?.endpointGone(endpointId);
    },
    synced() {},
  };

  return {
    of: (key) => byKey.get(key),
    scaled: (key, cause) => byKey.get(key)?.scaled(cause),
    observer,
    countOf: (key) => byKey.get(key)?.calls ?? 0,
    pages: () => pages.begin(),
    called: () => [...books.called],
    row: books.slots.get,
    all: books.all,
  };
};

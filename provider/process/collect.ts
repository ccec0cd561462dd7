// Takes away bundles that no function uses or used lately.
import { parseBundleImage } from '../types/bundle.ts';
import type { BundleStore } from './bundles/bundles.ts';
import type { Log } from './log.ts';
import type { Store } from './store/store.ts';

export interface BundleCollector {
  /** Waits for a collection under way. */
  close(): Promise<void>;
}

const intervalMs = 60 * 60_000;

/** Digests that functions run or ran among their last ten. */
const bundlesInUse = (store: Pick<Store, 'functions' | 'recentImages'>): Set<string> => {
  const used = new Set<string>();
  for (const { spec } of store.functions()) {
    const current = parseBundleImage(spec.image);
    if (current !== undefined) used.add(current.digest);
    for (const digest of store.recentImages({ name: spec.service, namespace: spec.namespace })) used.add(digest);
  }
  return used;
};

export const createBundleCollector = (parts: {
  store: Store;
  bundles: BundleStore;
  log: Log;
  now: () => number;
}): BundleCollector => {
  const { store, bundles, log, now } = parts;
  let work: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    work = bundles.collect(bundlesInUse(store), now()).then(
      (digests) => void (digests.length > 0 && log.info({ digests }, 'removed unused bundles')),
      (error) => log.warn({ err: error }, 'unused bundles could not be removed'),
    );
  }, intervalMs);
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      await work;
    },
  };
};

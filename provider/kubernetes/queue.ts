// A bounded queue between writers that wait when it is full and one reader that waits when it is empty.
import { setTimeout as sleep } from 'node:timers/promises';

export type Queue<Item> = {
  readonly signal: AbortSignal;
  put(item: Item): Promise<void>;
  /** `undefined` when it is over; what is left then is dropped. */
  take(): Promise<Item | undefined>;
  /** Resolves after that time, or when it is over. */
  pause(ms: number): Promise<void>;
};

export const createQueue = <Item>(most: number, signal: AbortSignal): Queue<Item> => {
  const items: Item[] = [];
  let changed = Promise.withResolvers<void>();
  const notify = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', notify, { once: true });
  return {
    signal,
    async put(item) {
      while (items.length >= most && !signal.aborted) await changed.promise;
      items.push(item);
      notify();
    },
    async take() {
      while (items.length === 0 && !signal.aborted) await changed.promise;
      if (signal.aborted) return undefined;
      const item = items.shift();
      if (items.length === most - 1) notify();
      return item;
    },
    pause: (ms) => sleep(ms, undefined, { signal }).catch(() => undefined),
  };
};

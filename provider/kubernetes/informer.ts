// Keeps up with one kind of object: lists it, watches it from there, and begins again where it was cut off, for as long as it
// takes. What was missed meanwhile is replayed by the API server, or listed anew when that is too long ago.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, Query } from './api.ts';
import { isExpired, toKubeError } from './errors.ts';
import type { KubeList, KubeObject } from './objects.ts';
import type { Log } from './options.ts';
import { toLines } from './to-lines.ts';

export interface Follower<Item> {
  /** All there is. What is newer than `resourceVersion` may be missing in it. */
  replaced(items: readonly Item[], resourceVersion: string): void;
  changed(item: Item): void;
  removed(item: Item): void;
}

export type InformerParts<Item> = {
  readonly api: KubeApi;
  /** What is followed, for the log. */
  readonly what: string;
  readonly path: string;
  readonly query: Query;
  /** Keeps of an object what is needed; whole objects of a big cluster are too much. */
  readonly trim: (item: Item) => Item;
  readonly follower: Follower<Item>;
  readonly log: Log;
  readonly now: () => number;
  readonly random?: () => number;
  /** A watch that is silent for longer is given up, 90 s unless told: bookmarks come every minute. */
  readonly silenceMs?: number;
};

export type Informer = {
  /** Resolves with the first list. */
  readonly synced: Promise<void>;
  /** How long ago the objects were known to be the cluster's, in ms; 0 while the watch is open. */
  staleMs(): number;
  close(): Promise<void>;
};

/** Few enough that no page keeps the event loop for long. */
const pageSize = 50;
const firstPauseMs = 50;
const longestPauseMs = 2000;

const listAll = async <Item>(
  { api, path, query, trim }: InformerParts<Item>,
  signal: AbortSignal,
): Promise<{ items: Item[]; resourceVersion: string }> => {
  const items: Item[] = [];
  let next: string | undefined;
  let resourceVersion = '';
  do {
    const page: KubeList<Item> = await api.call<KubeList<Item>>('GET', path, {
      query: { ...query, limit: pageSize, continue: next },
      signal,
    });
    for (const item of page.items ?? []) items.push(trim(item));
    next = page.metadata.continue;
    resourceVersion = page.metadata.resourceVersion ?? resourceVersion;
  } while (next);
  return { items, resourceVersion };
};

const sliceMs = 1;

/** The same items. Many come in one piece: between them calls get their turn. */
async function* inSlices<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
  let begunMs = performance.now();
  for await (const item of items) {
    yield item;
    if (performance.now() - begunMs < sliceMs) continue;
    await nextTurn();
    begunMs = performance.now();
  }
}

type WatchEvent<Item> = { readonly type: string; readonly object: Item };

/** Not all watches of all gateways are to begin again at once. */
const watchQuery = (random: () => number): Query => ({
  watch: 1,
  allowWatchBookmarks: true,
  timeoutSeconds: 300 + Math.floor(random() * 300),
});

export const createInformer = <Item extends KubeObject>(parts: InformerParts<Item>): Informer => {
  const { api, path, query, trim, follower, log, now, what, random = Math.random, silenceMs = 90_000 } = parts;
  const closing = new AbortController();
  const synced = Promise.withResolvers<void>();
  let version: string | undefined;
  let open = false;
  let lastHeardMs = now();
  let failures = 0;

  const list = async (): Promise<void> => {
    const { items, resourceVersion } = await listAll(parts, closing.signal);
    version = resourceVersion;
    lastHeardMs = now();
    follower.replaced(items, resourceVersion);
    synced.resolve();
  };

  const take = (line: string): void => {
    const event = JSON.parse(line) as WatchEvent<Item>;
    const { type, object } = event;
    if (type === 'ERROR') throw toKubeError((object as { code?: number }).code ?? 500, JSON.stringify(object));
    if (type === 'DELETED') follower.removed(trim(object));
    else if (type !== 'BOOKMARK') follower.changed(trim(object));
    version = object.metadata.resourceVersion ?? version;
  };

  /** Ends when the API server ends it, which it does regularly. */
  const watch = async (): Promise<void> => {
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(new Error(`no word within ${silenceMs}ms`)), silenceMs);
    try {
      const pieces = await api.stream(path, {
        query: { ...query, ...watchQuery(random), resourceVersion: version },
        signal: AbortSignal.any([closing.signal, silent.signal]),
      });
      open = true;
      if (failures > 0) log.info({ what, attempts: failures }, 'watching Kubernetes again');
      for await (const line of inSlices(toLines(pieces))) {
        timer.refresh();
        failures = 0;
        lastHeardMs = now();
        if (line !== '') take(line);
      }
    } catch (error) {
      // Where nothing happens some API servers say nothing, not even bookmarks: that is no failure, only a reason to ask again.
      if (!silent.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      // Until it was cut it was true; of one that said nothing nobody knows.
      if (open && !silent.signal.aborted) lastHeardMs = now();
      open = false;
    }
  };

  const pause = async (): Promise<void> => {
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
    failures += 1;
    await sleep(longest * (0.5 + random() / 2), undefined, { signal: closing.signal });
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const beganMs = now();
      try {
        if (version === undefined) await list();
        await watch();
        // One that ends as soon as it begins is a failure, too.
        if (now() - beganMs < 1000) await pause();
      } catch (error) {
        if (closing.signal.aborted) return;
        if (isExpired(error)) version = undefined;
        if (failures === 0) log.warn({ what, err: error }, 'the watch of Kubernetes was cut; what is known stays in use');
        await pause().catch(() => undefined);
      }
    }
  };

  const running = run();
  return {
    synced: synced.promise,
    staleMs: () => (open ? 0 : now() - lastHeardMs),
    close: async () => {
      closing.abort();
      await running;
    },
  };
};

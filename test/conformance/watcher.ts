// The gateway's side of a provider's watch, as small as a test needs it: it keeps what is reported, counts calls in flight
// so that endpoints drain, and notes every report that breaks the order the contract promises.
import type { Endpoint, FunctionReport, ProviderObserver } from '../../provider/provider.ts';
import { type FunctionRef, formatRef } from '../../provider/types/name.ts';
import { type CallAnswer, type CallOptions, call } from '../helpers/call.ts';

export type WatchEvent =
  | { readonly kind: 'changed'; readonly key: string; readonly report: FunctionReport }
  | { readonly kind: 'removed'; readonly key: string }
  | { readonly kind: 'ready'; readonly key: string; readonly endpoint: Endpoint }
  | { readonly kind: 'gone'; readonly key: string; readonly endpointId: string }
  | { readonly kind: 'synced' };

type Slot = { readonly endpoint: Endpoint; calls: number; idle: (() => void) | undefined };
type Known = { report: FunctionReport; readonly ready: Map<string, Slot> };

export type WatchedCall = CallAnswer & { readonly endpoint: Endpoint };

export type Watcher = {
  readonly observer: ProviderObserver;
  readonly events: readonly WatchEvent[];
  /** Sentences about reports that came in an order they may not come in. */
  readonly violations: readonly string[];
  report(ref: FunctionRef): FunctionReport | undefined;
  endpoints(ref: FunctionRef): Endpoint[];
  /** Resolves with the first truthy value of `check`, which is looked at after every event. */
  until<T>(what: string, check: () => T | undefined | false, timeoutMs?: number): Promise<T>;
  /** Resolves when exactly `count` endpoints are ready and all run the wanted revision. */
  untilReady(ref: FunctionRef, count?: number, timeoutMs?: number): Promise<Endpoint[]>;
  /** Calls a ready endpoint, waiting for one first; it stays in use until the answer is complete. Nothing is retried. */
  call(ref: FunctionRef, options?: CallOptions): Promise<WatchedCall>;
};

const createBook = (): {
  observer: ProviderObserver;
  known: Map<string, Known>;
  events: WatchEvent[];
  violations: string[];
  onEvent: Set<() => void>;
} => {
  const known = new Map<string, Known>();
  const events: WatchEvent[] = [];
  const violations: string[] = [];
  const onEvent = new Set<() => void>();
  const usedIds = new Set<string>();
  const note = (event: WatchEvent): void => {
    events.push(event);
    for (const look of [...onEvent]) look();
  };
  const observer: ProviderObserver = {
    functionChanged(report) {
      const key = formatRef(report.ref);
      const before = known.get(key);
      if (before === undefined) known.set(key, { report, ready: new Map() });
      else before.report = report;
      note({ kind: 'changed', key, report });
    },
    functionRemoved(ref) {
      const key = formatRef(ref);
      const before = known.get(key);
      if (before === undefined) violations.push(`${key}: removed, but never reported`);
      else if (before.ready.size > 0) violations.push(`${key}: removed while ${before.ready.size} endpoints are ready`);
      known.delete(key);
      note({ kind: 'removed', key });
    },
    endpointReady(ref, endpoint) {
      const key = formatRef(ref);
      const before = known.get(key);
      if (usedIds.has(endpoint.id)) violations.push(`${key}: endpoint id ${endpoint.id} is used twice`);
      usedIds.add(endpoint.id);
      if (before === undefined) violations.push(`${key}: endpoint ${endpoint.id} ready before the function was reported`);
      else before.ready.set(endpoint.id, { endpoint, calls: 0, idle: undefined });
      note({ kind: 'ready', key, endpoint });
    },
    async endpointGone(ref, endpointId) {
      const key = formatRef(ref);
      const slot = known.get(key)?.ready.get(endpointId);
      if (slot === undefined) violations.push(`${key}: endpoint ${endpointId} gone, but was not ready`);
      known.get(key)?.ready.delete(endpointId);
      note({ kind: 'gone', key, endpointId });
      if (slot !== undefined && slot.calls > 0) await new Promise<void>((resolve) => (slot.idle = resolve));
    },
    synced() {
      if (events.some((event) => event.kind === 'synced')) violations.push('synced twice');
      note({ kind: 'synced' });
    },
  };
  return { observer, known, events, violations, onEvent };
};

/** Longer than any orchestrator takes for a few replicas on a busy machine, and shorter than a test may last. */
export const patienceMs = 60_000;

export const createWatcher = (): Watcher => {
  const { observer, known, events, violations, onEvent } = createBook();

  const until = <T>(what: string, check: () => T | undefined | false, timeoutMs = patienceMs): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => {
      onEvent.delete(look);
      const last = events.slice(-8).map((event) => JSON.stringify(event));
      reject(new Error(`not within ${timeoutMs} ms: ${what}; last events:\n${last.join('\n')}`));
    }, timeoutMs);
    const look = (): void => {
      const value = check();
      if (value === undefined || value === false) return;
      clearTimeout(timer);
      onEvent.delete(look);
      resolve(value);
    };
    onEvent.add(look);
    look();
    return promise;
  };

  const endpoints = (ref: FunctionRef): Endpoint[] =>
    [...(known.get(formatRef(ref))?.ready.values() ?? [])].map((slot) => slot.endpoint);
  const report = (ref: FunctionRef): FunctionReport | undefined => known.get(formatRef(ref))?.report;

  /** An endpoint of the wanted revision, or an older one while the wanted has none: the gateway's rule. */
  const pick = (ref: FunctionRef): Slot | undefined => {
    const slots = [...(known.get(formatRef(ref))?.ready.values() ?? [])];
    return slots.find((slot) => slot.endpoint.revision === report(ref)?.revision) ?? slots[0];
  };

  return {
    observer,
    events,
    violations,
    report,
    endpoints,
    until,
    untilReady: (ref, count = 1, timeoutMs = patienceMs) =>
      until(
        `${count} endpoints of ${formatRef(ref)}`,
        () => {
          const ready = endpoints(ref);
          const wanted = report(ref)?.revision;
          return ready.length === count && ready.every((endpoint) => endpoint.revision === wanted) ? ready : undefined;
        },
        timeoutMs,
      ),
    async call(ref, options = {}) {
      const slot = pick(ref) ?? (await until(`an endpoint of ${formatRef(ref)}`, () => pick(ref)));
      slot.calls += 1;
      try {
        return { ...(await call(slot.endpoint.address, options)), endpoint: slot.endpoint };
      } finally {
        slot.calls -= 1;
        if (slot.calls === 0) slot.idle?.();
      }
    },
  };
};

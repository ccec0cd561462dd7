// Puts functions that nobody calls to zero, in two steps: first every gateway holds the function's calls, then its replicas go.
// A gateway that has calls, or had one lately, takes the first step back, and so does a call that comes between the two.
import type { Provider } from '../../provider/provider.ts';
import type { FunctionEntry, FunctionTable } from '../invoke/table.ts';
import { type IdleSettings, idleLimitMs, isIdle, isUsed } from './decide.ts';

export type ZeroParts = {
  readonly table: Pick<FunctionTable, 'entries' | 'subscribe'>;
  readonly provider: Pick<Provider, 'scale' | 'doze' | 'sleep' | 'parksIdle' | 'staleMs'>;
  readonly settings: IdleSettings;
  /** How often functions are looked at. */
  readonly everyMs: number;
  /** How long another gateway that has begun is left to finish; longer than a doze takes. */
  readonly othersMs?: number;
  readonly now?: () => number;
  /** Told of every function that was put to zero. */
  readonly onZero?: (key: string) => void;
  /** Told when a function could not be put to zero, or be kept from it; it is tried again later. */
  readonly onError?: (entry: FunctionEntry, error: unknown) => void;
};

/** Functions looked at in one turn of the event loop. */
const slice = 1000;

/** Functions on their way to zero at one time: each costs the provider two orders. */
const atOnce = 64;

const longestPauseMs = 60_000;

class Zero {
  readonly #parts: ZeroParts;
  readonly #settings: IdleSettings;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  readonly #underWay = new Set<FunctionEntry>();
  readonly #keeping = new Set<FunctionEntry>();
  /** When those that were kept from it may be tried again. */
  readonly #notBeforeMs = new WeakMap<FunctionEntry, number>();
  #rest: NodeJS.Immediate | undefined;

  constructor(parts: ZeroParts) {
    this.#parts = parts;
    this.#settings = parts.provider.parksIdle ? parts.settings : { ...parts.settings, parkIdleMs: 0 };
    this.#now = parts.now ?? Date.now;
    this.#timer = setInterval(() => {
      if (this.#rest === undefined) this.#look(parts.table.entries()[Symbol.iterator]());
    }, parts.everyMs);
    this.#timer.unref();
    this.#unsubscribe = parts.table.subscribe((entry) => {
      if (entry.report.dozing !== true) return;
      // Two at once would take each other's mark away.
      if (!this.#underWay.has(entry)) this.#notBeforeMs.set(entry, this.#now() + (parts.othersMs ?? 10_000));
      this.#keep(entry);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#rest);
    this.#unsubscribe();
  }

  #look(entries: Iterator<FunctionEntry>): void {
    this.#rest = undefined;
    // What is known may be old: others may have calls that we would have been told of.
    if ((this.#parts.provider.staleMs?.() ?? 0) > 0) return;
    for (let left = slice; left > 0 && this.#underWay.size < atOnce; left -= 1) {
      const { value, done } = entries.next();
      if (done) return;
      if (value.report.dozing === true) this.#keep(value);
      if (!this.#underWay.has(value) && this.#isDue(value)) void this.#put(value);
    }
    if (this.#underWay.size < atOnce) this.#rest = setImmediate(() => this.#look(entries));
  }

  #isIdle(entry: FunctionEntry): boolean {
    // Thousands may be there already: nothing is made for each of them every second.
    if (entry.report.replicas === 0) return false;
    const limitMs = idleLimitMs(entry.scale, this.#settings);
    if (limitMs === undefined || entry.removed) return false;
    const { inFlight, lastCallMs, report } = entry;
    const starting = entry.revisions.size === 0 && report.failure === undefined;
    return isIdle({ replicas: report.replicas, inFlight, starting, lastCallMs }, this.#now(), limitMs);
  }

  #isDue(entry: FunctionEntry): boolean {
    return this.#isIdle(entry) && this.#now() >= (this.#notBeforeMs.get(entry) ?? 0);
  }

  /** Not so soon again: another gateway has calls, or the provider could not do it. */
  #pause(entry: FunctionEntry): void {
    const limitMs = idleLimitMs(entry.scale, this.#settings) ?? 0;
    const pauseMs = Math.min(longestPauseMs, Math.max(this.#parts.everyMs, limitMs / 2));
    this.#notBeforeMs.set(entry, this.#now() + pauseMs);
  }

  async #put(entry: FunctionEntry): Promise<void> {
    const { provider } = this.#parts;
    this.#underWay.add(entry);
    try {
      const mark = await provider.doze(entry.ref);
      if (entry.report.dozing === true && this.#isIdle(entry) && (await provider.sleep(entry.ref, mark))) {
        this.#parts.onZero?.(entry.key);
      } else this.#pause(entry);
    } catch (error) {
      this.#pause(entry);
      if (!entry.removed) this.#parts.onError?.(entry, error);
    } finally {
      this.#underWay.delete(entry);
    }
  }

  /** Calls that wait have ordered the function to wake already; others, and those of late, have not. */
  #keep(entry: FunctionEntry): void {
    if (entry.waiting > 0 || entry.removed || this.#keeping.has(entry)) return;
    const limitMs = idleLimitMs(entry.scale, this.#settings);
    if (limitMs !== undefined && !isUsed(entry, this.#now(), limitMs)) return;
    this.#keeping.add(entry);
    this.#parts.provider.scale(entry.ref, entry.report.replicas).then(
      () => this.#keeping.delete(entry),
      (error: unknown) => {
        this.#keeping.delete(entry);
        if (!entry.removed) this.#parts.onError?.(entry, error);
      },
    );
  }
}

export const createZero = (parts: ZeroParts): { close(): void } => new Zero(parts);

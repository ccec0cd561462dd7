// One pod of a function: asked again and again whether it answers, from the moment it has an address. It is used while it
// does; only its deletion or the end of its container takes it out without asking.
import type { Endpoint } from '../provider.ts';
import type { Pod } from './objects.ts';
import { addressOf, isUnready, runOf } from './pod-facts.ts';
import type { ProbeResult } from './probe.ts';
import type { PodReach, Route } from './reach.ts';

export type ReplicaParts = {
  readonly pod: Pod;
  readonly revision: () => string;
  readonly path: () => string;
  readonly reach: PodReach;
  readonly onReady: (endpoint: Endpoint) => void;
  readonly onGone: (endpointId: string) => void;
  readonly now: () => number;
};

export type Pace = {
  readonly firstMs: number;
  readonly factor: number;
  readonly slowestMs: number;
  /** While it answers. */
  readonly readyMs: number;
  /** After the first question without the expected answer. */
  readonly doubtMs: number;
  /** A busy function may be silent for so long. */
  readonly silenceMs: number;
};

const pace: Pace = { firstMs: 5, factor: 1.3, slowestMs: 1000, readyMs: 10_000, doubtMs: 200, silenceMs: 30_000 };

/** Refusals in a row before a replica that answered is given up. */
const refusals = 2;

export class Replica {
  pod: Pod;
  endpoint: Endpoint | undefined;
  /** Why it did not answer the last time. */
  problem: string | undefined;
  readonly #parts: ReplicaParts;
  #address: string | undefined;
  #asking: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = pace.firstMs;
  #refused = 0;
  #silentSinceMs: number | undefined;
  #uses = 0;
  readonly #begunMs = performance.now();
  #placedMs: number | undefined;
  #bootedMs: number | undefined;

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    this.pod = parts.pod;
    this.update(parts.pod);
  }

  update(pod: Pod): void {
    const before = this.pod;
    this.pod = pod;
    const address = addressOf(pod);
    if (pod.spec?.nodeName !== undefined) this.#placedMs ??= performance.now();
    if (address !== undefined) this.#bootedMs ??= performance.now();
    if (address === undefined) {
      this.close();
      return;
    }
    if (address !== this.#address || this.#hasRestarted(before, pod)) {
      this.close();
      this.#address = address;
      this.#pauseMs = pace.firstMs;
      this.#ask();
    } else if (isUnready(pod) && !isUnready(before) && this.endpoint !== undefined) this.#askSoon(0);
  }

  /** Not used any more from now on. */
  close(): void {
    this.#address = undefined;
    this.#asking?.abort();
    this.#asking = undefined;
    clearTimeout(this.#timer);
    this.#drop();
    this.#parts.reach.release(this.pod);
  }

  #hasRestarted(before: Pod, after: Pod): boolean {
    const [was, is] = [runOf(before), runOf(after)];
    if (is.down && !was.down) return true;
    return is.restarts > was.restarts || (was.id !== undefined && is.id !== undefined && was.id !== is.id);
  }

  #askSoon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #ask(): void {
    const address = this.#address;
    if (address === undefined || this.#asking !== undefined) return;
    const asking = new AbortController();
    this.#asking = asking;
    void this.#parts.reach
      .routeTo(this.pod, address)
      .then(async (route) => ({
        route,
        result: await this.#parts.reach.probe({ ...route, path: this.#parts.path() }, asking.signal),
      }))
      .catch((error: Error) => ({ route: undefined, result: { kind: 'refused', detail: error.message } as ProbeResult }))
      .then(({ route, result }) => {
        if (this.#asking !== asking) return;
        this.#asking = undefined;
        if (result.kind !== 'ready') this.#failed(result.kind, result.detail);
        else if (route !== undefined) this.#answered(route);
      });
  }

  #answered(route: Route): void {
    this.problem = undefined;
    this.#refused = 0;
    this.#silentSinceMs = undefined;
    this.#askSoon(pace.readyMs * (0.75 + Math.random() / 2));
    if (this.endpoint !== undefined) return;
    const { name } = this.pod.metadata;
    // A pod that comes back is another endpoint: the calls of the first are over.
    const id = this.#uses === 0 ? name : `${name}/${this.#uses}`;
    const start = { begunMs: this.#begunMs, placedMs: this.#placedMs, bootedMs: this.#bootedMs };
    this.endpoint = { id, revision: this.#parts.revision(), address: route, start };
    this.#uses += 1;
    this.#parts.onReady(this.endpoint);
  }

  #failed(kind: 'refused' | 'silent', detail: string): void {
    this.problem = detail;
    if (this.endpoint === undefined) {
      this.#askSoon(this.#pauseMs);
      this.#pauseMs = Math.min(pace.slowestMs, this.#pauseMs * pace.factor);
      return;
    }
    const nowMs = this.#parts.now();
    this.#refused = kind === 'refused' ? this.#refused + 1 : 0;
    this.#silentSinceMs ??= nowMs;
    const lost = kind === 'refused' ? this.#refused >= refusals : nowMs - this.#silentSinceMs >= pace.silenceMs;
    if (lost) {
      this.#pauseMs = pace.firstMs;
      this.#refused = 0;
      this.#silentSinceMs = undefined;
      this.#drop();
    }
    this.#askSoon(pace.doubtMs);
  }

  #drop(): void {
    const { endpoint } = this;
    this.endpoint = undefined;
    if (endpoint !== undefined) this.#parts.onGone(endpoint.id);
  }
}

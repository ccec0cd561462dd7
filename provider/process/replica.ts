// One replica of a function, from its start to the end of its process.
import type { Endpoint } from '../provider.ts';
import { bringUp } from './bring-up.ts';
import { type Cause, causeOfDeath } from './failure.ts';
import { blankBoot, type Launched, type Launcher } from './launcher.ts';
import type { Confinement } from './limits/limits.ts';
import type { Plan } from './plan.ts';
import type { Pool } from './pool.ts';
import { writeSecretFile } from './secret-files.ts';
import { lostConnection } from './specialize.ts';
import { StartLimit } from './start-limit.ts';
import type { Starts } from './starts.ts';

export type ReplicaState = 'starting' | 'ready' | 'draining' | 'gone';

export interface Replica {
  readonly plan: Plan;
  readonly startedAtMs: number;
  /** Somebody waits for it now. */
  hurry(): void;
  state(): ReplicaState;
  /** Name of its log lines and its endpoint. */
  instance(): string;
  /** While it answers. */
  endpoint(): Endpoint | undefined;
  /** When it began to answer, in ms since 1970; 0 before. */
  readyAtMs(): number;
  confinement(): Confinement | undefined;
  /** Replaces the value of a secret that it has. */
  secretChanged(name: string, value: Buffer): void;
  /** No more calls, then its end. Resolves when its processes and files are gone. */
  stop(): Promise<void>;
  /** As stop, without waiting for calls. */
  kill(): Promise<void>;
}

/** What the replica tells its function. Nothing of it is called once `stop` or `kill` was, but `drain` by `stop`. */
export type ReplicaEvents = {
  ready(replica: Replica): void;
  /** The process of a ready replica is gone; `ended` follows with the reason. */
  lost(replica: Replica): void;
  ended(replica: Replica, cause: Cause): void;
  /** Resolves when the endpoint has no calls left. */
  drain(replica: Replica, endpoint: Endpoint): Promise<void>;
  line(instance: string, text: string): void;
};

export type ReplicaParts = {
  readonly launcher: Launcher;
  readonly pool: Pool;
  readonly starts: Starts;
  readonly secretValue: (name: string, namespace: string) => Buffer | undefined;
  /** Secrets are mounted where OpenFaaS has them. */
  readonly secretsMounted: boolean;
  readonly basePath: string;
  readonly defaultTimeoutMs: number | undefined;
  readonly readyTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly killGraceMs: number;
  readonly now: () => number;
};

const keptLines = 30;
/** How long a watchdog that cut the connection may take to end by itself. */
const lastWordsMs = 150;

/** How long a start counts as one: by then it waits for something, and must not keep others from starting. */
const longestPlaceMs = 3000;

const once = (act: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
};

const whenAborted = (signal: AbortSignal): Promise<Cause> =>
  new Promise((resolve) => {
    const stopped: Cause = { reason: 'Stopped', message: 'stopped while starting' };
    if (signal.aborted) return resolve(stopped);
    signal.addEventListener('abort', () => resolve(stopped), { once: true });
  });

const within = (limitMs: number, work: Promise<unknown>): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(done, done);
  });

class ProcessReplica implements Replica {
  readonly plan: Plan;
  readonly startedAtMs: number;
  readonly #parts: ReplicaParts;
  readonly #events: ReplicaEvents;
  readonly #ticket: { urgent: boolean };
  readonly #abort = new AbortController();
  /** The last it wrote. */
  readonly #lines: string[] = [];
  #state: ReplicaState = 'starting';
  #launched: Launched | undefined;
  #instance: string;
  #endpoint: Endpoint | undefined;
  #readyAtMs = 0;
  #stopped = false;
  /** Resolves when one that was not stopped while it answered is gone with all it had. */
  #gone: Promise<void>;

  constructor(parts: ReplicaParts, plan: Plan, urgent: boolean, events: ReplicaEvents) {
    this.plan = plan;
    this.startedAtMs = parts.now();
    this.#parts = parts;
    this.#events = events;
    this.#ticket = { urgent };
    this.#instance = plan.spec.service;
    this.#gone = this.#run().catch(() => undefined);
  }

  hurry(): void {
    this.#ticket.urgent = true;
  }

  state(): ReplicaState {
    return this.#state;
  }

  instance(): string {
    return this.#instance;
  }

  endpoint(): Endpoint | undefined {
    return this.#state === 'ready' ? this.#endpoint : undefined;
  }

  readyAtMs(): number {
    return this.#readyAtMs;
  }

  confinement(): Confinement | undefined {
    return this.#launched?.confinement;
  }

  secretChanged(name: string, value: Buffer): void {
    if (this.#launched === undefined || this.#state === 'gone') return;
    writeSecretFile(this.#launched.child.places.secrets, name, value, this.plan.owner?.gid);
  }

  stop(): Promise<void> {
    return this.#stop(true);
  }

  kill(): Promise<void> {
    return this.#stop(false);
  }

  async #run(): Promise<void> {
    const { starts } = this.#parts;
    if (!starts.tryEnter() && !(await starts.enter(this.#ticket, this.#abort.signal))) return;
    const cause = await this.#startInPlace();
    if (cause !== undefined || this.#launched === undefined || this.#state !== 'starting') return this.#fail(cause);
    this.#serve(this.#launched);
  }

  /** Gives the place among the starts back. */
  async #startInPlace(): Promise<Cause | undefined> {
    const leave = once(this.#parts.starts.leave);
    const timer = setTimeout(leave, longestPlaceMs);
    try {
      return await this.#start();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** @returns why it does not answer, if it does not */
  async #start(): Promise<Cause | undefined> {
    const { plan } = this;
    const { signal } = this.#abort;
    const start = { begunMs: performance.now(), placedMs: 0, bootedMs: 0 };
    const limit = new StartLimit(this.#parts.readyTimeoutMs, () => this.#abort.abort());
    try {
      const launched = await this.#launch();
      start.placedMs = performance.now();
      const onTold = (): void => {
        start.bootedMs = performance.now();
        limit.begin(plan.readyTimeoutMs);
      };
      const cause = await Promise.race([bringUp(this.#parts, { plan, launched, signal, onTold }), whenAborted(signal)]);
      if (limit.expired) return { reason: 'NeverReady', message: `a replica did not answer within ${limit.text}` };
      if (cause !== undefined || launched.child.hasExited()) return await this.#whyNot(launched, cause);
      const { socket } = launched.child.places;
      this.#endpoint = { id: this.#instance, revision: plan.revision, address: { socketPath: socket }, start };
      return undefined;
    } catch (error) {
      if (this.#launched?.child.hasExited()) return await this.#death(this.#launched);
      return { reason: 'StartFailed', message: error instanceof Error ? error.message : String(error) };
    } finally {
      limit.clear();
    }
  }

  /** Has it within this call when there is a blank watchdog that will do. */
  async #launch(): Promise<Launched> {
    const { pool, launcher } = this.#parts;
    const { boot, spec } = this.plan;
    const blank = boot === undefined ? pool.take() : undefined;
    const launched = blank ?? (await launcher.launch(boot ?? blankBoot));
    this.#launched = launched;
    this.#instance = `${spec.service}-${launched.child.id}`;
    launched.child.readLines((line) => {
      this.#lines.push(line);
      if (this.#lines.length > keptLines) this.#lines.shift();
      this.#events.line(this.#instance, line);
    });
    return launched;
  }

  /** What the watchdog said, unless its end or its memory say more. */
  async #whyNot(launched: Launched, cause: Cause | undefined): Promise<Cause> {
    if (cause?.reason === 'Stopped') return cause;
    if (cause === undefined || cause.reason === lostConnection) {
      await within(lastWordsMs, launched.child.exited);
      launched.child.kill('SIGKILL');
      return this.#death(launched);
    }
    return (await launched.confinement.ranOutOfMemory()) ? this.#death(launched) : cause;
  }

  async #death({ child, confinement }: Launched): Promise<Cause> {
    const exit = await child.drained;
    const outOfMemory = await confinement.ranOutOfMemory();
    return causeOfDeath({ exit, outOfMemory, memoryLimit: this.plan.spec.limits?.memory, lines: this.#lines });
  }

  #serve(launched: Launched): void {
    this.#state = 'ready';
    this.#readyAtMs = this.#parts.now();
    launched.confinement.started();
    void launched.child.exited.then(() => {
      if (this.#state !== 'ready') return;
      this.#state = 'gone';
      this.#events.lost(this);
      this.#gone = this.#died(launched);
    });
    this.#events.ready(this);
  }

  async #died(launched: Launched): Promise<void> {
    const cause = await this.#death(launched);
    if (!this.#stopped) this.#events.ended(this, cause);
    await launched.cleanUp();
  }

  async #fail(cause: Cause | undefined): Promise<void> {
    this.#state = 'gone';
    if (!this.#stopped && cause !== undefined) this.#events.ended(this, cause);
    await this.#launched?.cleanUp();
  }

  /** @param patient running calls may end first */
  async #stop(patient: boolean): Promise<void> {
    this.#stopped = true;
    const state = this.#state;
    const launched = this.#launched;
    if (state === 'starting') {
      this.#state = 'gone';
      this.#abort.abort();
      launched?.child.kill('SIGKILL');
      return this.#gone;
    }
    if (state === 'gone' || launched === undefined) return this.#gone;
    this.#state = 'draining';
    if (state === 'ready') await this.#drain(launched, patient);
    if (patient) {
      launched.child.terminate();
      await within(this.#parts.killGraceMs, launched.child.exited);
    }
    await launched.cleanUp();
  }

  async #drain(launched: Launched, patient: boolean): Promise<void> {
    if (this.#endpoint === undefined) return;
    const drained = this.#events.drain(this, this.#endpoint);
    if (patient) await within(this.#parts.drainTimeoutMs, Promise.race([drained, launched.child.exited]));
  }
}

/** Begins within this call when there is a place among the starts. @param urgent somebody waits for it */
export const startReplica = (parts: ReplicaParts, plan: Plan, urgent: boolean, events: ReplicaEvents): Replica =>
  new ProcessReplica(parts, plan, urgent, events);

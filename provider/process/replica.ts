// One replica of a function, from its start to the end of its process.
import type { Endpoint } from '../provider.ts';
import { type Cause, causeOfDeath } from './failure.ts';
import type { Launched, Launcher } from './launcher.ts';
import type { Confinement } from './limits/limits.ts';
import { type Plan, toSpecialization } from './plan.ts';
import type { Pool } from './pool.ts';
import { writeSecretFile } from './secret-files.ts';
import { lostConnection, specialize } from './specialize.ts';
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

/** From the function's own limit to ours: the watchdog knows better what it waits for, and is to say so first. */
const watchdogFirstMs = 500;

type BringUp = { readonly plan: Plan; readonly launched: Launched; readonly signal: AbortSignal; readonly onTold: () => void };

/**
 * Takes a blank watchdog and makes it the function, in as few waits as there can be.
 * @param onTold called when the function begins to start @returns why not, if not
 */
const bringUp = async (parts: ReplicaParts, { plan, launched, signal, onTold }: BringUp): Promise<Cause | undefined> => {
  const { child, confinement } = launched;
  const { spec, owner } = plan;
  const unlimited = await confinement.limit(plan.caps);
  if (unlimited !== undefined) {
    return { reason: 'LimitNotSet', message: `the memory limit of ${spec.limits?.memory} could not be set: ${unlimited}` };
  }
  await child.ready;
  if (owner !== undefined) await launched.own(owner);
  for (const name of spec.secrets ?? []) {
    const value = parts.secretValue(name, spec.namespace);
    if (value === undefined)
      return { reason: 'SecretMissing', message: `secret ${JSON.stringify(name)} does not exist any more` };
    writeSecretFile(child.places.secrets, name, value, owner?.gid);
  }
  const specialization = toSpecialization(plan, {
    temporary: child.places.temporary,
    secretsPath: parts.secretsMounted ? undefined : child.places.secrets,
    marker: child.marker,
    basePath: parts.basePath,
    defaultTimeoutMs: parts.defaultTimeoutMs,
  });
  onTold();
  return specialize(child.places.socket, child.token, specialization, signal);
};

/** Begins within this call when there is a place among the starts. @param urgent somebody waits for it */
export const startReplica = (parts: ReplicaParts, plan: Plan, urgent: boolean, events: ReplicaEvents): Replica => {
  const startedAtMs = parts.now();
  const abort = new AbortController();
  const ticket = { urgent };
  const lines: string[] = [];
  let state: ReplicaState = 'starting';
  let launched: Launched | undefined;
  let endpoint: Endpoint | undefined;
  let readyAtMs = 0;
  let instance = plan.spec.service;
  let tooSlow = false;

  const death = async (running: Launched): Promise<Cause> => {
    const exit = await running.child.drained;
    const outOfMemory = await running.confinement.ranOutOfMemory();
    return causeOfDeath({ exit, outOfMemory, memoryLimit: plan.spec.limits?.memory, lines });
  };

  /** What the watchdog said, unless its end or its memory say more. */
  const whyNot = async (running: Launched, cause: Cause | undefined): Promise<Cause> => {
    if (cause?.reason === 'Stopped') return cause;
    if (cause === undefined || cause.reason === lostConnection) {
      await within(lastWordsMs, running.child.exited);
      running.child.kill('SIGKILL');
      return death(running);
    }
    return (await running.confinement.ranOutOfMemory()) ? death(running) : cause;
  };

  const begin = async (): Promise<Cause | undefined> => {
    let limit = `${parts.readyTimeoutMs / 1000} s of its start`;
    const expire = (): void => {
      tooSlow = true;
      abort.abort();
    };
    let timer = setTimeout(expire, parts.readyTimeoutMs);
    const start = { begunMs: performance.now(), placedMs: 0, bootedMs: 0 };
    const onTold = (): void => {
      start.bootedMs = performance.now();
      if (plan.readyTimeoutMs === undefined) return;
      limit = `its ready_timeout of ${plan.readyTimeoutMs / 1000} s`;
      clearTimeout(timer);
      timer = setTimeout(expire, plan.readyTimeoutMs + watchdogFirstMs);
    };
    try {
      const blank = plan.boot === undefined ? parts.pool.take() : undefined;
      launched = blank ?? (await parts.launcher.launch(plan.boot ?? { nodeFlags: [], environment: {} }));
      const { child } = launched;
      start.placedMs = performance.now();
      instance = `${plan.spec.service}-${child.id}`;
      child.readLines((line) => {
        lines.push(line);
        if (lines.length > keptLines) lines.shift();
        events.line(instance, line);
      });
      const cause = await Promise.race([
        bringUp(parts, { plan, launched, signal: abort.signal, onTold }),
        whenAborted(abort.signal),
      ]);
      if (tooSlow) {
        return { reason: 'NeverReady', message: `a replica did not answer within ${limit}` };
      }
      if (cause === undefined && !child.hasExited()) {
        endpoint = { id: instance, revision: plan.revision, address: { socketPath: child.places.socket }, start };
        return undefined;
      }
      return await whyNot(launched, cause);
    } catch (error) {
      if (launched?.child.hasExited()) return await death(launched);
      return { reason: 'StartFailed', message: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
    }
  };

  let gone: Promise<void>;

  const run = async (): Promise<void> => {
    if (!parts.starts.tryEnter() && !(await parts.starts.enter(ticket, abort.signal))) return;
    let cause: Cause | undefined;
    const leave = once(parts.starts.leave);
    const timer = setTimeout(leave, longestPlaceMs);
    try {
      cause = await begin();
    } finally {
      clearTimeout(timer);
      leave();
    }
    if (launched === undefined || state !== 'starting') return fail(cause);
    if (cause !== undefined) return fail(cause);
    state = 'ready';
    readyAtMs = parts.now();
    const running = launched;
    running.confinement.started();
    void running.child.exited.then(() => {
      if (state !== 'ready') return;
      state = 'gone';
      events.lost(self);
      gone = death(running).then(async (reason) => {
        if (!stopped) events.ended(self, reason);
        await running.cleanUp();
      });
    });
    events.ready(self);
  };

  let stopped = false;
  const fail = async (cause: Cause | undefined): Promise<void> => {
    state = 'gone';
    if (!stopped && cause !== undefined) events.ended(self, cause);
    await launched?.cleanUp();
  };

  const stop = async (patient: boolean): Promise<void> => {
    stopped = true;
    const running = launched;
    if (state === 'starting') {
      state = 'gone';
      abort.abort();
      launched?.child.kill('SIGKILL');
      return gone;
    }
    if (state === 'gone' || running === undefined) return gone;
    const answering = endpoint;
    const first = state === 'ready';
    state = 'draining';
    if (first && answering !== undefined) {
      const drained = events.drain(self, answering);
      if (patient) await within(parts.drainTimeoutMs, Promise.race([drained, running.child.exited]));
    }
    if (patient) {
      running.child.terminate();
      await within(parts.killGraceMs, running.child.exited);
    }
    await running.cleanUp();
  };

  const self: Replica = {
    plan,
    startedAtMs,
    hurry: () => {
      ticket.urgent = true;
    },
    state: () => state,
    instance: () => instance,
    endpoint: () => (state === 'ready' ? endpoint : undefined),
    readyAtMs: () => readyAtMs,
    confinement: () => launched?.confinement,
    secretChanged: (name, value) => {
      if (launched !== undefined && state !== 'gone')
        writeSecretFile(launched.child.places.secrets, name, value, plan.owner?.gid);
    },
    stop: () => stop(true),
    kill: () => stop(false),
  };
  gone = run().catch(() => undefined);
  return self;
};

// Keeps one function as it should be: the right number of replicas of the right revision, whatever happens to them.
import type { Endpoint, FunctionFailure, FunctionReport } from '../provider.ts';
import type { Condition, FunctionSpec, FunctionStatus } from '../types/function.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import { type Backoff, type BackoffPolicy, nextBackoff, noBackoff } from './backoff.ts';
import { type Cause, toFailure } from './failure.ts';
import type { FunctionEvents } from './hub.ts';
import type { Log } from './log.ts';
import type { LogRing } from './log-ring.ts';
import type { Plan } from './plan.ts';
import { type ReplicaFact, reconcile } from './reconcile.ts';
import { type Replica, type ReplicaEvents, type ReplicaParts, startReplica } from './replica.ts';
import { revisionOf } from './revision.ts';
import { toConditions, toStatus, verdictsOf } from './status.ts';

export interface Supervisor {
  readonly ref: FunctionRef;
  readonly logs: LogRing;
  spec(): FunctionSpec;
  report(): FunctionReport;
  /** Those that get calls. */
  endpoints(): Endpoint[];
  status(usage?: FunctionStatus['usage']): FunctionStatus;
  /** Its replicas that run. */
  replicas(): Replica[];
  /** Reports the function and starts its replicas. @param urgent somebody waits for them */
  begin(urgent: boolean): void;
  /** Starts within this call what it can. Ends a doze. */
  scale(replicas: number): void;
  /** Reports that it dozes; does nothing at zero. */
  doze(mark: string): void;
  /** Mark of the doze that it is in. */
  dozing(): string | undefined;
  /** A new specification; the number of replicas stays when none is given. */
  update(spec: FunctionSpec, plan: Plan, replicas: number | undefined): void;
  secretChanged(name: string, value: Buffer): void;
  /** Tells that its endpoints and itself are gone; resolves when its processes are, too. */
  remove(): Promise<void>;
  /** Ends its replicas once their calls are finished. */
  close(): Promise<void>;
}

export type SupervisorParts = {
  readonly events: FunctionEvents;
  readonly replicaParts: ReplicaParts;
  /** What starting needs, when it was not settled yet. @throws FaasError when the bundle is gone */
  readonly prepare: (spec: FunctionSpec) => Promise<Plan>;
  readonly backoff: BackoffPolicy;
  readonly logs: LogRing;
  readonly log: Log;
  readonly now: () => number;
};

export type SupervisorStart = {
  readonly spec: FunctionSpec;
  readonly createdAt: string;
  readonly replicas: number;
  readonly plan: Plan | undefined;
};

export const createSupervisor = (parts: SupervisorParts, start: SupervisorStart): Supervisor => {
  const { events, logs, log, now } = parts;
  const ref: FunctionRef = { name: start.spec.service, namespace: start.spec.namespace };
  const running = new Map<string, Replica>();
  const ending = new Set<Promise<void>>();
  let { spec, replicas: desired, plan } = start;
  let revision = plan?.revision ?? revisionOf(spec);
  let backoff: Backoff = noBackoff;
  let failure: FunctionFailure | undefined;
  let lastEnd: string | undefined;
  let conditions: Condition[] = [];
  let dozing: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let preparing = false;
  let closed = false;
  let count = 0;

  const readyOnes = (): Replica[] => [...running.values()].filter((replica) => replica.state() === 'ready');

  /** What callers are answered with: nothing while a replica answers, or once a call would start one again. */
  const reported = (): FunctionFailure | undefined => {
    if (failure === undefined || readyOnes().length > 0) return undefined;
    return desired === 0 && now() >= backoff.retryAtMs ? undefined : failure;
  };

  const report = (): FunctionReport => ({
    ref,
    revision,
    labels: { ...spec.labels, faas_function: ref.name },
    annotations: spec.annotations ?? {},
    replicas: desired,
    failure: reported(),
    ...(dozing === undefined ? {} : { dozing: true }),
  });

  const note = (instance: string, text: string): void => logs.push(instance, `sluice: ${text}`);

  const changed = (): void => {
    const ready = readyOnes();
    const current = ready.filter((replica) => replica.plan.revision === revision).length;
    const facts = { desired, ready: ready.length, current, blocking: reported(), failure, lastEnd };
    conditions = toConditions(verdictsOf(facts), conditions, now());
    if (!closed) events.functionChanged(report());
  };

  const wakeAt = (timeMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        timer = undefined;
        tend(false);
        changed();
      },
      Math.max(1, timeMs - now()),
    );
    timer.unref();
  };

  const end = (key: string, how: (replica: Replica) => Promise<void>): void => {
    const replica = running.get(key);
    if (replica === undefined) return;
    running.delete(key);
    const done = how(replica)
      .catch((error) => log.error({ err: error, function: formatRef(ref) }, 'a replica could not be stopped cleanly'))
      .finally(() => ending.delete(done));
    ending.add(done);
  };

  const fail = (cause: Cause, startedAtMs: number, answeredMs: number): void => {
    backoff = nextBackoff(parts.backoff, backoff, { startedAtMs, answeredMs }, now());
    lastEnd = `the last replica that failed, at ${new Date(now()).toISOString()}: ${cause.message}`;
    if (backoff.failures > 0) failure = toFailure(cause, backoff.failures, backoff.retryAtMs);
    log.warn({ function: formatRef(ref), reason: cause.reason, failures: backoff.failures }, cause.message);
  };

  const prepare = (urgent: boolean): void => {
    if (preparing) return;
    preparing = true;
    const wanted = spec;
    parts.prepare(wanted).then(
      (prepared) => {
        preparing = false;
        if (spec === wanted) plan ??= prepared;
        tend(urgent);
      },
      (error: Error) => {
        preparing = false;
        if (spec !== wanted) return tend(urgent);
        fail({ reason: 'BundleMissing', message: error.message }, now(), 0);
        tend(urgent);
        changed();
      },
    );
  };

  const replicaEvents = (key: string): ReplicaEvents => ({
    ready: (replica) => {
      const endpoint = replica.endpoint();
      if (endpoint === undefined) return;
      note(endpoint.id, 'started');
      failure = undefined;
      changed();
      events.endpointReady(ref, endpoint);
      tend(false);
    },
    lost: (replica) => {
      const id = replica.instance();
      void events.endpointGone(ref, id);
      changed();
    },
    ended: (replica, cause) => {
      end(key, (each) => each.kill());
      note(replica.instance(), `${cause.reason}: ${cause.message}`);
      const answeredMs = replica.readyAtMs() === 0 ? 0 : now() - replica.readyAtMs();
      if (replica.plan.revision === revision) fail(cause, replica.startedAtMs, answeredMs);
      tend(false);
      changed();
    },
    drain: (replica, endpoint) => {
      note(replica.instance(), 'stopping');
      return events.endpointGone(ref, endpoint.id);
    },
    line: (instance, text) => logs.push(instance, text),
  });

  const startOne = (ready: Plan, urgent: boolean): void => {
    count += 1;
    const key = String(count);
    running.set(key, startReplica(parts.replicaParts, ready, urgent, replicaEvents(key)));
  };

  const tend = (urgent: boolean): void => {
    if (closed) return;
    const facts: ReplicaFact[] = [];
    for (const [id, replica] of running) {
      if (urgent) replica.hurry();
      // One that just ended keeps its place until its failure is counted, or it would be replaced before the back-off begins.
      const state = replica.state() === 'ready' ? 'ready' : 'starting';
      facts.push({ id, revision: replica.plan.revision, state, startedAtMs: replica.startedAtMs });
    }
    const held = now() < backoff.retryAtMs;
    const moves = reconcile({ revision, desired, mayStart: !held }, facts);
    if (moves.start > 0 && plan === undefined) prepare(urgent);
    else if (plan !== undefined) for (let at = 0; at < moves.start; at += 1) startOne(plan, urgent);
    for (const id of moves.stop) end(id, (replica) => replica.stop());
    if (held && timer === undefined) wakeAt(backoff.retryAtMs);
  };

  const endAll = async (how: (replica: Replica) => Promise<void>): Promise<void> => {
    closed = true;
    clearTimeout(timer);
    for (const key of [...running.keys()]) end(key, how);
    await Promise.all(ending);
  };

  return {
    ref,
    logs,
    spec: () => spec,
    report,
    endpoints: () => readyOnes().flatMap((replica) => replica.endpoint() ?? []),
    status: (usage) => toStatus({ spec, createdAt: start.createdAt, desired, ready: readyOnes().length, conditions, usage }),
    replicas: () => [...running.values()],
    begin: (urgent) => {
      changed();
      tend(urgent);
      if (plan === undefined) prepare(urgent);
    },
    scale: (replicas) => {
      dozing = undefined;
      desired = replicas;
      tend(true);
      changed();
    },
    doze: (mark) => {
      if (desired === 0) return;
      dozing = mark;
      changed();
    },
    dozing: () => dozing,
    update: (next, nextPlan, replicas) => {
      dozing = undefined;
      spec = next;
      plan = nextPlan;
      desired = replicas ?? desired;
      if (nextPlan.revision !== revision) {
        revision = nextPlan.revision;
        backoff = noBackoff;
        failure = undefined;
        lastEnd = undefined;
        clearTimeout(timer);
        timer = undefined;
      }
      changed();
      tend(true);
    },
    secretChanged: (name, value) => {
      if (!spec.secrets?.includes(name)) return;
      for (const replica of running.values()) if (replica.plan.spec.secrets?.includes(name)) replica.secretChanged(name, value);
    },
    remove: () => {
      const done = endAll((replica) => replica.stop());
      events.functionRemoved(ref);
      logs.close();
      return done;
    },
    close: async () => {
      await endAll((replica) => replica.stop());
      logs.close();
    },
  };
};

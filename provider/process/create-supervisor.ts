// Keeps one function as it should be: the right number of replicas of the right revision, whatever happens to them.
// Thousands of functions sleep: one without replicas holds as little as it can, and shares what it has in common with others.
import type { Endpoint, FunctionFailure, FunctionReport } from '../provider.ts';
import type { FunctionSpec, FunctionStatus } from '../types/function.ts';
import { type FunctionRef, formatRef } from '../types/name.ts';
import type { Ending } from './backoff.ts';
import type { Cause } from './failure.ts';
import type { LogRing } from './log-ring.ts';
import type { Plan } from './plan.ts';
import { type ReplicaFact, reconcile } from './reconcile.ts';
import { type Replica, type ReplicaEvents, startReplica } from './replica.ts';
import { revisionOf } from './revision.ts';
import { type Facts, noAnnotations, type Standing, shownLabels, toConditions, toStanding, toStatus } from './status.ts';
import type { Supervisor, SupervisorParts, SupervisorStart } from './supervisor.ts';
import { nextTrouble, noTrouble, overcome } from './trouble.ts';

const noReplicas: readonly Replica[] = [];
const noEnds: readonly Promise<void>[] = [];

class FunctionSupervisor implements Supervisor, ReplicaEvents {
  readonly ref: FunctionRef;
  readonly #parts: SupervisorParts;
  readonly #createdAt: string;
  #spec: FunctionSpec;
  #labels: FunctionReport['labels'];
  #plan: Plan | undefined;
  #revision: string;
  #desired: number;
  /** Replaced, never changed, as are the ends under way. */
  #replicas = noReplicas;
  #ending = noEnds;
  #logs: LogRing | undefined;
  #trouble = noTrouble;
  #standing: Standing | undefined;
  #dozing: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #preparing: 'calmly' | 'urgently' | undefined;
  #closed = false;

  constructor(parts: SupervisorParts, { spec, createdAt, replicas, plan }: SupervisorStart) {
    this.ref = { name: spec.service, namespace: spec.namespace };
    this.#parts = parts;
    this.#createdAt = createdAt;
    this.#spec = spec;
    this.#labels = shownLabels(spec);
    this.#plan = plan;
    this.#revision = plan?.revision ?? revisionOf(spec);
    this.#desired = replicas;
  }

  get logs(): LogRing {
    this.#logs ??= this.#parts.createLogs();
    if (this.#closed) this.#logs.close();
    return this.#logs;
  }

  spec(): FunctionSpec {
    return this.#spec;
  }

  report(): FunctionReport {
    return {
      ref: this.ref,
      revision: this.#revision,
      labels: this.#labels,
      annotations: this.#spec.annotations ?? noAnnotations,
      replicas: this.#desired,
      failure: this.#reported(),
      dozing: this.#dozing === undefined ? undefined : true,
    };
  }

  endpoints(): Endpoint[] {
    return this.#ready().flatMap((replica) => replica.endpoint() ?? []);
  }

  status(usage?: FunctionStatus['usage']): FunctionStatus {
    const facts = this.#facts();
    const conditions = toConditions(facts, this.#stand(facts));
    return toStatus({ spec: this.#spec, labels: this.#labels, createdAt: this.#createdAt, ...facts, conditions, usage });
  }

  replicas(): readonly Replica[] {
    return this.#replicas;
  }

  begin(urgent: boolean): void {
    this.#changed();
    this.#tend(urgent);
  }

  async prepare(): Promise<void> {
    if (this.#plan === undefined && !this.#closed) await this.#prepare(false);
  }

  scale(replicas: number): void {
    this.#dozing = undefined;
    this.#desired = replicas;
    this.#tend(true);
    this.#changed();
  }

  doze(mark: string): void {
    if (this.#desired === 0) return;
    this.#dozing = mark;
    this.#changed();
  }

  dozing(): string | undefined {
    return this.#dozing;
  }

  update(spec: FunctionSpec, plan: Plan, replicas: number | undefined): void {
    this.#dozing = undefined;
    this.#spec = spec;
    this.#labels = shownLabels(spec);
    this.#plan = plan;
    this.#desired = replicas ?? this.#desired;
    // Who deploys again what fails has mended what it needs: a secret, a bundle, a service.
    if (plan.revision !== this.#revision || this.#trouble.failure !== undefined) {
      this.#revision = plan.revision;
      this.#trouble = noTrouble;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#changed();
    this.#tend(true);
  }

  secretChanged(name: string, value: Buffer): void {
    if (!this.#spec.secrets?.includes(name)) return;
    for (const replica of this.#replicas) if (replica.plan.spec.secrets?.includes(name)) replica.secretChanged(name, value);
  }

  remove(): Promise<void> {
    const done = this.#endAll();
    this.#parts.events.functionRemoved(this.ref);
    this.#logs?.close();
    return done;
  }

  async close(): Promise<void> {
    await this.#endAll();
    this.#logs?.close();
  }

  ready(replica: Replica): void {
    const endpoint = replica.endpoint();
    if (endpoint === undefined) return;
    this.line(endpoint.id, 'sluice: started');
    this.#trouble = overcome(this.#trouble);
    this.#changed();
    this.#parts.events.endpointReady(this.ref, endpoint);
    this.#tend(false);
  }

  lost(replica: Replica): void {
    void this.#parts.events.endpointGone(this.ref, replica.instance());
    this.#changed();
  }

  ended(replica: Replica, cause: Cause): void {
    this.#end(replica, 'kill');
    this.line(replica.instance(), `sluice: ${cause.reason}: ${cause.message}`);
    const answeredMs = replica.readyAtMs() === 0 ? 0 : this.#parts.now() - replica.readyAtMs();
    if (replica.plan.revision === this.#revision) this.#fail(cause, { startedAtMs: replica.startedAtMs, answeredMs });
    this.#tend(false);
    this.#changed();
  }

  drain(replica: Replica, endpoint: Endpoint): Promise<void> {
    this.line(replica.instance(), 'sluice: stopping');
    return this.#parts.events.endpointGone(this.ref, endpoint.id);
  }

  line(instance: string, text: string): void {
    this.logs.push(instance, text);
  }

  #ready(): readonly Replica[] {
    return this.#replicas.filter((replica) => replica.state() === 'ready');
  }

  #facts(): Facts {
    const ready = this.#ready();
    return {
      desired: this.#desired,
      ready: ready.length,
      current: ready.filter((replica) => replica.plan.revision === this.#revision).length,
      blocking: this.#reported(),
      failure: this.#trouble.failure,
      lastEnd: this.#trouble.lastEnd,
    };
  }

  /** What callers are answered with: nothing while a replica answers, or once a call would start one again. */
  #reported(): FunctionFailure | undefined {
    const { failure } = this.#trouble;
    if (failure === undefined || this.#ready().length > 0) return undefined;
    return this.#desired === 0 && !this.#isHeld() ? undefined : failure;
  }

  #stand(facts: Facts): Standing {
    this.#standing = toStanding(facts, this.#standing, this.#parts.now());
    return this.#standing;
  }

  #changed(): void {
    this.#stand(this.#facts());
    if (!this.#closed) this.#parts.events.functionChanged(this.report());
  }

  #isHeld(): boolean {
    return this.#parts.now() < this.#trouble.backoff.retryAtMs;
  }

  /** Looks again when the back-off is over. */
  #wakeAtRetry(): void {
    const retry = (): void => {
      this.#timer = undefined;
      this.#tend(false);
      this.#changed();
    };
    this.#timer = setTimeout(retry, Math.max(1, this.#trouble.backoff.retryAtMs - this.#parts.now())).unref();
  }

  #fail(cause: Cause, ending: Ending): void {
    const { backoff, log, now } = this.#parts;
    this.#trouble = nextTrouble(backoff, this.#trouble, cause, ending, now());
    const { failures } = this.#trouble.backoff;
    log.warn({ function: formatRef(this.ref), reason: cause.reason, failures }, cause.message);
  }

  /** Never rejects. */
  async #prepare(urgent: boolean): Promise<void> {
    const before = this.#preparing;
    if (urgent || before === undefined) this.#preparing = urgent ? 'urgently' : 'calmly';
    if (before !== undefined) return;
    const wanted = this.#spec;
    const result = await this.#parts.prepare(wanted).catch((error: Error) => error);
    const isUrgent = this.#preparing === 'urgently';
    this.#preparing = undefined;
    const failed = result instanceof Error && this.#spec === wanted;
    if (failed) {
      this.#fail({ reason: 'BundleMissing', message: result.message }, { startedAtMs: this.#parts.now(), answeredMs: 0 });
    } else if (!(result instanceof Error) && this.#spec === wanted) {
      this.#plan ??= result;
      // The same, and one text is enough.
      this.#revision = this.#plan.revision;
    }
    this.#tend(isUrgent);
    if (failed) this.#changed();
  }

  /** Starts and stops what the difference between how it is and how it should be asks for. */
  #tend(urgent: boolean): void {
    if (this.#closed) return;
    const facts: ReplicaFact<Replica>[] = [];
    for (const replica of this.#replicas) {
      if (urgent) replica.hurry();
      // One that just ended keeps its place until its failure is counted, or it would be replaced before the back-off begins.
      const state = replica.state() === 'ready' ? 'ready' : 'starting';
      facts.push({ id: replica, revision: replica.plan.revision, state, startedAtMs: replica.startedAtMs });
    }
    const held = this.#isHeld();
    const moves = reconcile({ revision: this.#revision, desired: this.#desired, mayStart: !held }, facts);
    if (moves.start > 0 && this.#plan === undefined) void this.#prepare(urgent);
    else if (this.#plan !== undefined) this.#start(this.#plan, moves.start, urgent);
    for (const replica of moves.stop) this.#end(replica, 'stop');
    if (held && this.#timer === undefined) this.#wakeAtRetry();
  }

  #start(plan: Plan, count: number, urgent: boolean): void {
    if (count === 0) return;
    const started = Array.from({ length: count }, () => startReplica(this.#parts.replicaParts, plan, urgent, this));
    this.#replicas = [...this.#replicas, ...started];
  }

  #end(replica: Replica, how: 'stop' | 'kill'): void {
    if (!this.#replicas.includes(replica)) return;
    this.#replicas = this.#replicas.length === 1 ? noReplicas : this.#replicas.filter((each) => each !== replica);
    // Only now: what stopping leads to is to find the replica gone.
    const done = replica[how]()
      .catch((err) => this.#parts.log.error({ err, function: formatRef(this.ref) }, 'a replica could not be stopped cleanly'))
      .finally(() => {
        this.#ending = this.#ending.length === 1 ? noEnds : this.#ending.filter((each) => each !== done);
      });
    this.#ending = [...this.#ending, done];
  }

  async #endAll(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const replica of this.#replicas) this.#end(replica, 'stop');
    await Promise.all(this.#ending);
  }
}

export const createSupervisor = (parts: SupervisorParts, start: SupervisorStart): Supervisor =>
  new FunctionSupervisor(parts, start);

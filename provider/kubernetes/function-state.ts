// One function: its Deployment, its pods, and what observers have been told of both.
import type { FunctionFailure, FunctionReport } from '../provider.ts';
import type { Condition, FunctionStatus } from '../types/function.ts';
import type { FunctionRef } from '../types/name.ts';
import { dozeMarkOf } from './doze.ts';
import { failureOf, lastEndOf } from './failure.ts';
import type { Hub } from './hub.ts';
import type { Deployment, Pod } from './objects.ts';
import { isLeaving, runningSinceMs } from './pod-facts.ts';
import { readyPath } from './probes.ts';
import type { PodReach } from './reach.ts';
import { Replica } from './replica.ts';
import { createRevisions } from './revision.ts';
import { shownAnnotations, shownLabels, toConditions, toStatus } from './status.ts';

export type FunctionStateParts = {
  readonly ref: FunctionRef;
  readonly hub: Hub;
  readonly reach: PodReach;
  readonly now: () => number;
};

/** Seconds; the watchdog gives a function that listens itself as long. */
const overdueS = 30;

const isSame = (a: FunctionReport, b: FunctionReport): boolean =>
  a.revision === b.revision &&
  a.replicas === b.replicas &&
  a.dozing === b.dozing &&
  a.labels === b.labels &&
  a.annotations === b.annotations &&
  a.failure?.reason === b.failure?.reason &&
  a.failure?.message === b.failure?.message;

export class FunctionState {
  readonly ref: FunctionRef;
  deployment: Deployment | undefined;
  report: FunctionReport | undefined;
  readonly #parts: FunctionStateParts;
  readonly #revisions = createRevisions();
  readonly #replicas = new Map<string, Replica>();
  #conditions: Condition[] = [];
  #pullError: string | undefined;

  constructor(parts: FunctionStateParts) {
    this.#parts = parts;
    this.ref = parts.ref;
  }

  setDeployment(deployment: Deployment): void {
    const changed = this.deployment?.metadata.generation !== deployment.metadata.generation || this.deployment === undefined;
    this.deployment = deployment;
    if (changed) {
      this.#revisions.setTemplate(deployment.spec.template, this.pods());
      this.#pullError = undefined;
    }
    this.#tell(changed);
  }

  setPod(uid: string, pod: Pod): void {
    const known = this.#replicas.get(uid);
    if (known !== undefined) known.update(pod);
    else {
      const { hub, reach, now } = this.#parts;
      const replica = new Replica({
        pod,
        reach,
        now,
        revision: () => this.#revisions.of(replica.pod),
        path: () => readyPath(this.deployment?.spec.template.metadata?.annotations ?? {}),
        onReady: (endpoint) => {
          hub.endpointReady(this.ref, endpoint);
          this.#tell(false);
        },
        onGone: (endpointId) => {
          hub.endpointGone(this.ref, endpointId);
          this.#tell(false);
        },
      });
      this.#replicas.set(uid, replica);
    }
    this.#tell(false);
  }

  dropPod(uid: string): void {
    this.#replicas.get(uid)?.close();
    if (this.#replicas.delete(uid)) this.#tell(false);
  }

  /** The function is gone: first its endpoints, then itself. */
  remove(): void {
    const reported = this.report !== undefined;
    this.deployment = undefined;
    this.report = undefined;
    this.stop();
    if (reported) this.#parts.hub.functionRemoved(this.ref);
  }

  /** Asks no replica any more; tells observers that they are gone. */
  stop(): void {
    for (const replica of this.#replicas.values()) replica.close();
    this.#replicas.clear();
  }

  *pods(): Generator<Pod, void, undefined> {
    for (const { pod } of this.#replicas.values()) yield pod;
  }

  /** Those that are to answer and do not. */
  silentPods(): Pod[] {
    const silent = [...this.#replicas.values()].filter(({ endpoint, pod }) => endpoint === undefined && !isLeaving(pod));
    return silent.map(({ pod }) => pod);
  }

  endpoints(): NonNullable<Replica['endpoint']>[] {
    return [...this.#replicas.values()].map((replica) => replica.endpoint).filter((each) => each !== undefined);
  }

  status(): FunctionStatus | undefined {
    const { deployment } = this;
    if (deployment === undefined) return undefined;
    const endpoints = this.endpoints();
    const wanted = this.#revisions.wanted();
    const facts = {
      desired: deployment.spec.replicas ?? 1,
      ready: endpoints.length,
      current: endpoints.filter((endpoint) => endpoint.revision === wanted).length,
      failure: this.#failure(deployment),
      remark: lastEndOf(this.#wantedPods()) ?? this.#problem(),
      overdue: this.#overdue(),
    };
    this.#conditions = toConditions(facts, this.#conditions, this.#parts.now());
    return toStatus(deployment, endpoints.length, this.#conditions);
  }

  #wantedPods(): Pod[] {
    const wanted = this.#revisions.wanted();
    return [...this.pods()].filter((pod) => !isLeaving(pod) && this.#revisions.of(pod) === wanted);
  }

  #failure(deployment: Deployment): FunctionFailure | undefined {
    const failure = failureOf(deployment, this.#wantedPods());
    if (failure?.reason !== 'ImagePullFailed') return failure;
    // Between two tries Kubernetes only says that it waits; the cause was in the try before.
    if (!failure.message.startsWith('ImagePullBackOff')) this.#pullError = failure.message;
    else if (this.#pullError !== undefined) return { ...failure, message: this.#pullError };
    return failure;
  }

  /** Why a pod that has an address is not used. */
  #problem(): string | undefined {
    for (const { problem, endpoint, pod } of this.#replicas.values()) {
      if (problem !== undefined && endpoint === undefined && !isLeaving(pod)) return `pod ${pod.metadata.name}: ${problem}`;
    }
    return undefined;
  }

  /** A pod that has been running for so long that it should answer. */
  #overdue(): string | undefined {
    const nowMs = this.#parts.now();
    for (const { problem, endpoint, pod } of this.#replicas.values()) {
      if (problem === undefined || endpoint !== undefined || isLeaving(pod)) continue;
      const seconds = Math.floor((nowMs - runningSinceMs(pod)) / 1000);
      if (seconds >= overdueS) return `pod ${pod.metadata.name} has been running for ${seconds}s and does not answer: ${problem}`;
    }
    return undefined;
  }

  /** @param changed the Deployment's specification did, so that labels and annotations are new values */
  #tell(changed: boolean): void {
    const { deployment, report: before } = this;
    if (deployment === undefined) return;
    const { template, replicas = 1 } = deployment.spec;
    const failure = this.endpoints().length > 0 ? undefined : this.#failure(deployment);
    const report: FunctionReport = {
      ref: this.ref,
      revision: this.#revisions.wanted(),
      labels: changed || before === undefined ? shownLabels(template) : before.labels,
      annotations: changed || before === undefined ? shownAnnotations(template) : before.annotations,
      replicas,
      ...(failure === undefined ? {} : { failure }),
      ...(dozeMarkOf(deployment) === undefined ? {} : { dozing: true }),
    };
    if (before !== undefined && isSame(before, report)) return;
    this.report = report;
    this.#parts.hub.functionChanged(report);
  }
}

// What keeps one function as it should be. `createSupervisor` in create-supervisor.ts makes one.
import type { Endpoint, FunctionReport } from '../provider.ts';
import type { FunctionSpec, FunctionStatus } from '../types/function.ts';
import type { FunctionRef } from '../types/name.ts';
import type { BackoffPolicy } from './backoff.ts';
import type { FunctionEvents } from './hub.ts';
import type { Log } from './log.ts';
import type { LogRing } from './log-ring.ts';
import type { Plan } from './plan.ts';
import type { Replica, ReplicaParts } from './replica.ts';

export interface Supervisor {
  readonly ref: FunctionRef;
  readonly logs: LogRing;
  spec(): FunctionSpec;
  report(): FunctionReport;
  /** Those that get calls. */
  endpoints(): Endpoint[];
  status(usage?: FunctionStatus['usage']): FunctionStatus;
  /** Its replicas that run. */
  replicas(): readonly Replica[];
  /** Reports the function and starts its replicas. @param urgent somebody waits for them */
  begin(urgent: boolean): void;
  /** Settles what starting needs, for one that was brought back without it. Never rejects. */
  prepare(): Promise<void>;
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

/** The same for every function. */
export type SupervisorParts = {
  readonly events: FunctionEvents;
  readonly replicaParts: ReplicaParts;
  /** What starting needs, when it was not settled yet. @throws FaasError when the bundle is gone */
  readonly prepare: (spec: FunctionSpec) => Promise<Plan>;
  readonly backoff: BackoffPolicy;
  readonly createLogs: () => LogRing;
  readonly log: Log;
  readonly now: () => number;
};

export type SupervisorStart = {
  readonly spec: FunctionSpec;
  readonly createdAt: string;
  readonly replicas: number;
  readonly plan: Plan | undefined;
};

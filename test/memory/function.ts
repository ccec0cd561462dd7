// One function of the memory provider: keeps as many replicas running as it should have, and tells the observers.
import type { Address, Endpoint, FunctionFailure, FunctionReport, ProviderObserver } from '../../provider/provider.ts';
import type { FunctionSpec, FunctionStatus } from '../../provider/types/function.ts';
import type { FunctionRef } from '../../provider/types/name.ts';
import type { MemoryFunction } from './functions.ts';
import { createLogBuffer, type LogBuffer } from './log-buffer.ts';
import { type RunningReplica, startReplica } from './replica.ts';

export type FunctionParts = {
  /** What observers there are now. */
  observers(): Iterable<ProviderObserver>;
  /** The code behind an image. */
  code(spec: FunctionSpec): MemoryFunction;
  /** Where replicas are that the test runs itself. */
  address(spec: FunctionSpec): Address | undefined;
  secret(ref: FunctionRef, name: string): Buffer | undefined;
  beforeStart(ref: FunctionRef): Promise<void>;
  nextReplica(): { id: string; socketPath: string | undefined };
  now(): number;
};

export type MemoryFunctionState = {
  readonly ref: FunctionRef;
  readonly logs: LogBuffer;
  report(): FunctionReport;
  status(): FunctionStatus;
  endpoints(): Endpoint[];
  /** Starts or stops replicas as needed, without being waited for. */
  apply(spec: FunctionSpec, revision: string, replicas: number): void;
  setFailure(failure: FunctionFailure | undefined): void;
  doze(mark: string): void;
  dozing(): string | undefined;
  /** Every replica gone; resolves when their calls are finished. */
  stop(): Promise<void>;
  /** One replica dies at once, its connections cut. */
  crash(endpointId: string): void;
};

type Replica = { readonly endpoint: Endpoint; readonly running: RunningReplica | undefined };

const condition = (type: 'Ready' | 'Healthy', failure: FunctionFailure | undefined, at: string) => ({
  type,
  status: failure === undefined ? ('True' as const) : ('False' as const),
  reason: failure?.reason ?? 'Running',
  message: failure?.message ?? '',
  lastTransitionTime: at,
});

export const createFunctionState = (
  ref: FunctionRef,
  first: { spec: FunctionSpec; revision: string; replicas: number },
  parts: FunctionParts,
): MemoryFunctionState => {
  let { spec, revision, replicas } = first;
  const createdAt = new Date(parts.now()).toISOString();
  const ready = new Map<string, Replica>();
  const logs = createLogBuffer();
  let failure: FunctionFailure | undefined;
  let stopped = false;
  let working = false;
  let dozing: string | undefined;

  const log = (instance: string, text: string): void =>
    logs.push({ ...ref, instance, timestamp: new Date(parts.now()).toISOString(), text });
  const labels = (): Record<string, string> => ({ ...spec.labels, faas_function: ref.name });
  const report = (): FunctionReport => ({
    ref,
    revision,
    labels: labels(),
    annotations: spec.annotations ?? {},
    replicas,
    failure: ready.size === 0 ? failure : undefined,
    ...(dozing === undefined ? {} : { dozing: true }),
  });
  const tell = (): void => {
    for (const observer of parts.observers()) observer.functionChanged(report());
  };

  /** Resolves when the calls it has are finished and it is closed. */
  const retire = async (replica: Replica): Promise<void> => {
    ready.delete(replica.endpoint.id);
    await Promise.all([...parts.observers()].map((observer) => observer.endpointGone(ref, replica.endpoint.id)));
    await replica.running?.close();
  };

  const crash = (endpointId: string, code = 1): void => {
    const replica = ready.get(endpointId);
    if (replica === undefined) return;
    replica.running?.kill();
    log(endpointId, `exited with code ${code}`);
    failure = { reason: 'Exited', message: `exited with code ${code}` };
    void retire(replica);
    if (ready.size === 0) tell();
    void reconcile();
  };

  const start = async (): Promise<void> => {
    const wanted = { spec, revision };
    const { id, socketPath } = parts.nextReplica();
    await parts.beforeStart(ref);
    const given = parts.address(wanted.spec);
    const replica = {
      id,
      spec: wanted.spec,
      secret: (name: string) => (wanted.spec.secrets?.includes(name) ? parts.secret(ref, name) : undefined),
      log: (line: string) => log(id, line),
      exit: (code: number) => crash(id, code),
    };
    const running = given === undefined ? await startReplica(parts.code(wanted.spec)(replica), socketPath) : undefined;
    const endpoint: Endpoint = { id, revision: wanted.revision, address: given ?? running!.address };
    if (stopped || wanted.revision !== revision || replicas === 0) return running?.close();
    ready.set(id, { endpoint, running });
    failure = undefined;
    tell();
    for (const observer of parts.observers()) observer.endpointReady(ref, endpoint);
  };

  /** One step towards what is wanted; false when there is nothing left to do. */
  const step = async (): Promise<boolean> => {
    const fresh = [...ready.values()].filter((replica) => replica.endpoint.revision === revision);
    const wanted = stopped ? 0 : replicas;
    if (fresh.length < wanted) {
      await start();
      return true;
    }
    // Older replicas go once the wanted ones answer.
    const old = [...ready.values()].filter((replica) => replica.endpoint.revision !== revision);
    const extra = [...old, ...fresh.slice(wanted)];
    for (const replica of extra) void retire(replica);
    return false;
  };

  const reconcile = async (): Promise<void> => {
    if (working) return;
    working = true;
    const attempted = revision;
    try {
      while (await step());
    } catch (error) {
      failure = { reason: 'LoadFailed', message: error instanceof Error ? error.message : String(error) };
      log('', failure.message);
      if (!stopped) tell();
    } finally {
      working = false;
    }
    if (attempted !== revision && !stopped) await reconcile();
  };

  return {
    ref,
    logs,
    report,
    endpoints: () => [...ready.values()].map((replica) => replica.endpoint),
    status: () => ({
      ...spec,
      service: undefined,
      name: ref.name,
      namespace: ref.namespace,
      image: spec.image,
      envVars: Object.keys(spec.envVars ?? {}).length === 0 ? undefined : spec.envVars,
      secrets: spec.secrets === undefined ? undefined : [...spec.secrets].sort(),
      labels: labels(),
      replicas,
      availableReplicas: ready.size,
      createdAt,
      conditions: [
        condition('Ready', ready.size === 0 ? failure : undefined, createdAt),
        condition('Healthy', failure, createdAt),
      ],
    }),
    apply(nextSpec, nextRevision, nextReplicas) {
      ({ spec, revision, replicas } = { spec: nextSpec, revision: nextRevision, replicas: nextReplicas });
      dozing = undefined;
      tell();
      if (replicas === 0) for (const replica of [...ready.values()]) void retire(replica);
      void reconcile();
    },
    doze(mark) {
      if (replicas === 0) return;
      dozing = mark;
      tell();
    },
    dozing: () => dozing,
    setFailure(next) {
      failure = next;
      tell();
    },
    async stop() {
      stopped = true;
      await Promise.all([...ready.values()].map(retire));
    },
    crash,
  };
};

// How a replica is held to its memory and CPU limits, and what it uses. cgroup.ts and watch.ts are the two ways.

export type Caps = {
  readonly memoryBytes?: number | undefined;
  readonly cpuCores?: number | undefined;
};

export type Usage = {
  /** CPU time since the replica began, in ms. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
};

/** The hold on one replica's processes. None of its promises rejects. */
export interface Confinement {
  /** Resolves once the process is held, with why its memory is not limited as it should be, if it is not. */
  limit(caps: Caps): Promise<string | undefined>;
  /** Until this is called other replicas go first where the processor is busy; from now on it is one of them. */
  started(): void;
  /** True when it was ended for its memory. */
  ranOutOfMemory(): Promise<boolean>;
  usage(): Promise<Usage | undefined>;
  /** Ends every process that is left of it. */
  release(): Promise<void>;
}

export interface Limits {
  /** For people: what is enforced here, and how. */
  readonly description: string;
  confine(process: { readonly pid: number; readonly marker: string }): Confinement;
  /** Lets what this process starts wait behind replicas that answer calls, until it is confined. */
  holdBack(pid: number): void;
  close(): Promise<void>;
}

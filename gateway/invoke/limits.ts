// How much of a function one gateway lets run at once, and how much of it may wait: its annotations, else the gateway's settings.
import { countAnnotation, durationAnnotation } from '../../provider/types/annotations.ts';

/** The watchdog has the same limit and knows better what it cut, and the function's log gets it: it is to answer first. */
export const watchdogFirstMs = 100;

/** 0 is no limit, except for `maxQueue`. */
export type CallLimits = {
  /** Longest silence of a stream. */
  readonly idleTimeoutMs: number;
  readonly maxInflight: number;
  readonly maxInflightPerReplica: number;
  /** Calls that may wait for a place; 0 lets none wait. */
  readonly maxQueue: number;
  readonly maxQueueWaitMs: number;
};

export const noLimits: CallLimits = {
  idleTimeoutMs: 0,
  maxInflight: 0,
  maxInflightPerReplica: 0,
  maxQueue: 100,
  maxQueueWaitMs: 10_000,
};

/** The limits of a function with these annotations; `defaults` itself when it has none of its own. */
export const limitsOf = (annotations: Readonly<Record<string, string>>, defaults: CallLimits): CallLimits => {
  const idleTimeoutMs = durationAnnotation(annotations, 'sluice.dev/idle-timeout');
  const maxInflight = countAnnotation(annotations, 'sluice.dev/max-inflight');
  const maxInflightPerReplica = countAnnotation(annotations, 'sluice.dev/max-inflight-per-replica');
  const maxQueue = countAnnotation(annotations, 'sluice.dev/max-queue');
  const maxQueueWaitMs = durationAnnotation(annotations, 'sluice.dev/max-queue-wait');
  const own = idleTimeoutMs ?? maxInflight ?? maxInflightPerReplica ?? maxQueue ?? maxQueueWaitMs;
  if (own === undefined) return defaults;
  return {
    idleTimeoutMs: idleTimeoutMs ?? defaults.idleTimeoutMs,
    maxInflight: maxInflight ?? defaults.maxInflight,
    maxInflightPerReplica: maxInflightPerReplica ?? defaults.maxInflightPerReplica,
    maxQueue: maxQueue ?? defaults.maxQueue,
    maxQueueWaitMs: maxQueueWaitMs ?? defaults.maxQueueWaitMs,
  };
};

/** Whether calls may ever have to wait. */
export const isBounded = (limits: CallLimits): boolean => limits.maxInflight > 0 || limits.maxInflightPerReplica > 0;

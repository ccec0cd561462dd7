// What becomes of a function's replicas without anybody's order. Pure: time, settings and what is known come as arguments.
// Today that is one question, whether it may go to zero.
import type { ScaleSpec } from '../../provider/types/scale.ts';

/** What is known of a function when it is decided about. */
export type IdleFacts = {
  /** Wanted replicas. */
  readonly replicas: number;
  /** Calls, streams and upgraded connections under way, waiting ones included. */
  readonly inFlight: number;
  /** Its first replica is on its way, and nothing is known to keep it from coming. */
  readonly starting: boolean;
  /** When a call last began or ended, an operator last changed the function, or it began to answer; ms since 1970. */
  readonly lastCallMs: number;
};

export type IdleSettings = {
  /** For functions labelled `com.openfaas.scale.zero` that name no duration. */
  readonly zeroDurationMs: number;
  /** For functions whose operator left their size to us, where idle replicas cost this machine memory; 0 never parks. */
  readonly parkIdleMs: number;
};

/**
 * How long without a call makes the function go to zero, in ms; `undefined` when it never does by itself. A minimum or a
 * target of its own, without the label for zero, means that its operator wants it to run.
 */
export const idleLimitMs = (scale: ScaleSpec, settings: IdleSettings): number | undefined => {
  if (scale.zero) return scale.zeroDurationMs ?? settings.zeroDurationMs;
  if (settings.parkIdleMs === 0 || scale.hasMin || scale.automatic) return undefined;
  return settings.parkIdleMs;
};

/** Whether the function is used: a call is under way, or the last one is not so long ago. */
export const isUsed = (facts: Pick<IdleFacts, 'inFlight' | 'lastCallMs'>, nowMs: number, limitMs: number): boolean =>
  facts.inFlight > 0 || nowMs - facts.lastCallMs < limitMs;

/** Whether the function is idle for so long, and has something to give up. */
export const isIdle = (facts: IdleFacts, nowMs: number, limitMs: number): boolean =>
  facts.replicas > 0 && !facts.starting && !isUsed(facts, nowMs, limitMs);

// Whether a deployed function has arrived, from its status. Pure.
import type { FunctionStatus } from '../../provider/types/function.ts';

export type Readiness =
  /** `answers` is false for a function at zero, which the next call starts. */
  | { readonly kind: 'ready'; readonly answers: boolean }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/** Reasons of conditions that pass by themselves. */
const passing: ReadonlySet<string> = new Set([
  'Starting',
  'Updating',
  'Pending',
  'Progressing',
  'Scheduling',
  'Draining',
  'ProbeFailed',
]);

const judgeCounts = (status: FunctionStatus): Readiness => {
  if ((status.availableReplicas ?? 0) > 0) return { kind: 'ready', answers: true };
  return { kind: 'waiting', why: `${status.availableReplicas ?? 0} of ${status.replicas ?? 0} replicas answer` };
};

/** @param status `undefined` while the gateway does not show the function yet */
export const judgeReadiness = (status: FunctionStatus | undefined): Readiness => {
  if (status === undefined) return { kind: 'waiting', why: 'the gateway does not list it yet' };
  const conditions = status.conditions ?? [];
  if (conditions.length === 0) return judgeCounts(status);
  const failing = conditions.find((each) => each.status === 'False' && !passing.has(each.reason));
  if (failing !== undefined) return { kind: 'failed', reason: failing.reason, message: failing.message };
  const pending = conditions.find((each) => passing.has(each.reason));
  if (pending !== undefined) return { kind: 'waiting', why: pending.message || pending.reason };
  const ready = conditions.find((each) => each.type === 'Ready');
  if (ready?.status !== 'True') return judgeCounts(status);
  return { kind: 'ready', answers: (status.availableReplicas ?? 0) > 0 };
};

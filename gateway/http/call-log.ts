// The access log of invocations: one structured line a call, of all calls, of a sample or of those that failed. Lines are
// written without waiting (log.ts). What is not logged costs nothing: `wants` is asked before a call begins.
import { callerLeft } from './caller-left.ts';

/** Share of the calls from 0 to 1, or only those that end badly. */
export type CallLogMode = number | 'errors';

/** As in the headers of an answer that is not the function's own. */
export type Failure = { readonly code?: string | undefined; readonly reason?: string | undefined };

/** Times in ms of one clock; those of steps that were not reached are absent. */
export type CallRecord = {
  readonly callId: string;
  /** `name.namespace`. */
  readonly fn: string;
  readonly method: string;
  readonly origin: 'http' | 'async' | 'event';
  readonly status: number;
  /** Why the platform refused or ended the call, where it did. */
  readonly error: Failure | undefined;
  /** The caller went before the answer was complete. */
  readonly left: boolean;
  readonly endpoint: string | undefined;
  /** Of the bodies alone. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly beganMs: number;
  readonly grantedMs: number | undefined;
  readonly headMs: number | undefined;
  readonly endedMs: number;
};

export interface CallLog {
  /** Whether the call that begins now is to be recorded. */
  wants(): boolean;
  write(record: CallRecord): void;
}

export type LineLog = { info(fields: object, message: string): void };

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : rounded(to - from);

/** The fields of a line; the phases add up to `ms`. */
const toLine = (record: CallRecord): object => {
  const { callId, fn, method, origin, status, error, left, endpoint, bytesIn, bytesOut } = record;
  const { beganMs, grantedMs, headMs, endedMs } = record;
  return {
    callId,
    fn,
    method,
    status,
    origin,
    endpoint,
    bytesIn,
    bytesOut,
    ms: rounded(endedMs - beganMs),
    queueMs: rounded((grantedMs ?? endedMs) - beganMs),
    firstByteMs: between(grantedMs, headMs ?? endedMs),
    transferMs: between(headMs, endedMs),
    code: error?.code,
    reason: error?.reason,
    left: left || undefined,
  };
};

/** Refused, left unanswered, failed, or broken off in the middle of the answer; who closes an event stream does no wrong. */
const endedBadly = ({ status, error }: CallRecord): boolean => error !== undefined || status >= 500 || status === callerLeft;

/** `undefined` for a share of 0. @param random as Math.random */
export const createCallLog = (mode: CallLogMode, log: LineLog, random: () => number = Math.random): CallLog | undefined => {
  if (mode === 0) return undefined;
  return {
    wants: mode === 'errors' || mode === 1 ? () => true : () => random() < mode,
    write(record) {
      if (mode !== 'errors' || endedBadly(record)) log.info(toLine(record), 'call');
    },
  };
};

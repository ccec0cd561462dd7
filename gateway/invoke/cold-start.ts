// The time that a call lost because its function had no replica, told apart by what it was lost to. Pure.
import type { StartTimes } from '../../provider/provider.ts';

/**
 * `wait` until the start began, `schedule` until there was a process or a machine, `boot` until a watchdog or container ran,
 * `load` until the function answered, `first_answer` until the head of the answer to this call.
 */
export const coldPhases = ['wait', 'schedule', 'boot', 'load', 'first_answer'] as const;

/**
 * Seconds of each phase; they add up to `answeredMs - arrivedMs`. What was over before the call came is not its time, and
 * what the provider cannot tell counts for the next phase that it can.
 */
export const phasesOf = (
  arrivedMs: number,
  start: StartTimes | undefined,
  readyMs: number,
  answeredMs: number,
): readonly number[] => {
  let from = arrivedMs;
  return [start?.begunMs, start?.placedMs, start?.bootedMs, readyMs, answeredMs].map((end = from) => {
    const to = Math.min(Math.max(from, end), Math.max(from, answeredMs));
    const seconds = (to - from) / 1000;
    from = to;
    return seconds;
  });
};

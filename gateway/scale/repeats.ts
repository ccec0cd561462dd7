// A notification that was answered with a failure comes again as a whole. What was done of it the first time must not be done
// twice: a firing alert adds replicas each time it is heard.

export interface Repeats {
  /** What was done of this notification when it came last and failed; asked once, then forgotten. */
  take(notification: string): ReadonlySet<string>;
  /** It has failed; these of its parts were done all the same. */
  failed(notification: string, done: readonly string[]): void;
}

/** Alertmanager tries again for as long as its group interval; what comes later is a repetition and counts. */
const rememberedMs = 60_000;
const maxRemembered = 1000;

const none: ReadonlySet<string> = new Set();

export const createRepeats = (now: () => number = Date.now): Repeats => {
  const failures = new Map<string, { readonly atMs: number; readonly done: ReadonlySet<string> }>();
  return {
    take(notification) {
      const before = failures.get(notification);
      failures.delete(notification);
      return before === undefined || now() - before.atMs > rememberedMs ? none : before.done;
    },
    failed(notification, done) {
      if (failures.size >= maxRemembered) failures.delete(failures.keys().next().value as string);
      failures.set(notification, { atMs: now(), done: new Set(done) });
    },
  };
};

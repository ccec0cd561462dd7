export interface WorkQueue {
  /** Starts `work`, first waiting until fewer than the limit run. @throws the failure of earlier work */
  add(work: () => Promise<void>): Promise<void>;
  /** Resolves when nothing runs any more. @throws the first failure of all work */
  finish(): Promise<void>;
}

/** Runs work that comes one by one, several pieces at a time. */
export const createWorkQueue = (limit: number): WorkQueue => {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const check = (): void => {
    if (failure !== undefined) throw failure.error;
  };

  return {
    add: async (work) => {
      while (running.size >= limit) await Promise.race(running);
      check();
      const run: Promise<void> = work()
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(run));
      running.add(run);
    },
    finish: async () => {
      await Promise.all(running);
      check();
    },
  };
};

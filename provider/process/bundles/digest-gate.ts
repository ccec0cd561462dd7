// Keeps those who use a bundle and those who remove it out of each other's way, digest by digest.

export interface DigestGate {
  /** Stands before every use: from here on the bundle counts as asked for, and a removal under way is over when it resolves. */
  enter(digest: string, nowMs: number): Promise<void>;
  /** Runs `work` unless it runs already for this digest; resolves with it. */
  once(digest: string, work: () => Promise<void>): Promise<void>;
  /** Runs `work`, unless the bundle is being placed or removed or was asked for after `sinceMs`; true when it ran. */
  removeUnlessUsed(digest: string, sinceMs: number, work: () => Promise<void>): Promise<boolean>;
}

export const createDigestGate = (): DigestGate => {
  const askedAtMs = new Map<string, number>();
  const placing = new Map<string, Promise<void>>();
  const removing = new Map<string, Promise<void>>();
  return {
    enter: async (digest, nowMs) => {
      askedAtMs.set(digest, nowMs);
      await removing.get(digest)?.catch(() => undefined);
    },
    once: (digest, work) => {
      const before = placing.get(digest);
      if (before !== undefined) return before;
      const run = work().finally(() => placing.delete(digest));
      placing.set(digest, run);
      return run;
    },
    removeUnlessUsed: async (digest, sinceMs, work) => {
      if (placing.has(digest) || removing.has(digest) || (askedAtMs.get(digest) ?? 0) > sinceMs) return false;
      askedAtMs.delete(digest);
      const run = work().finally(() => removing.delete(digest));
      removing.set(digest, run);
      await run;
      return true;
    },
  };
};

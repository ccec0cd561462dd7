// Chance that can be had again: the same seed gives the same numbers.
import type { TestContext } from 'node:test';

export type Random = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
};

/** Park and Miller's generator. */
export const createRandom = (seed: number): Random => {
  let state = (Math.abs(Math.trunc(seed)) % 2_147_483_646) + 1;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
  const below = (limit: number): number => Math.min(limit - 1, Math.floor(next() * limit));
  return { next, below, pick: (from) => from[below(from.length)] as (typeof from)[number] };
};

/** The seed of this run, printed with the test's result; `TEST_SEED` repeats one. @param usual without it; default any */
export const takeSeed = (t: TestContext, usual = Date.now() % 1_000_000): number => {
  const seed = Number(process.env.TEST_SEED ?? usual);
  t.diagnostic(`seed: TEST_SEED=${seed}`);
  return seed;
};

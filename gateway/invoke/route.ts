// Which revisions of a function get which share of its calls.

/** Revisions with their weights, in percent; empty when nothing is ready. */
export type Route = readonly (readonly [revision: string, weight: number])[];

/** One for all that are not ready: thousands of functions sleep. */
export const nowhere: Route = [];

/**
 * Everything goes to `newest` once it has a ready endpoint; until then to the revision that became ready last.
 * @param ready the revisions that have ready endpoints, in the order in which they got their first one
 */
export const routeTo = (newest: string, ready: readonly string[]): Route => {
  const chosen = ready.includes(newest) ? newest : ready.at(-1);
  return chosen === undefined ? nowhere : [[chosen, 100]];
};

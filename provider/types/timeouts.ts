// How the limit of a call is handed from hop to hop.

const largestMarginMs = 250;

/**
 * What the next hop gets of a limit in ms, 0 for none: a tenth less, 250 ms at most, so that the hop that is closest to
 * the cause is the one that answers.
 */
export const innerTimeoutMs = (outerMs: number): number => outerMs - Math.min(largestMarginMs, outerMs / 10);

// The alert rule: what an Alertmanager notification makes of a function's replicas. Pure. Called by api/alert.ts.
// OpenFaaS contract, 4.1, without the Community Edition's ceiling of 5.
import type { ScaleSpec } from '../../provider/types/scale.ts';

/**
 * A firing alert adds `factor` percent of the maximum (rounded up) and stops at the maximum; anything else goes back
 * to the minimum. Worked: min 1, max 20, factor 10 → 1, 3, 5 … 20. A factor of 0 never adds. A function at zero sleeps until
 * it is called, so the end of an alert leaves it there, and a firing one gives it at least its minimum.
 */
export const step = (spec: Pick<ScaleSpec, 'min' | 'max' | 'factorPercent'>, firing: boolean, current: number): number => {
  const added = Math.ceil((spec.max * spec.factorPercent) / 100);
  const adds = firing && added > 0;
  if (current === 0) return adds ? Math.min(Math.max(added, spec.min), spec.max) : 0;
  return adds ? Math.min(current + added, spec.max) : spec.min;
};

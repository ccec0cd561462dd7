// How a function may be scaled, read from its com.openfaas.scale.* labels, and the scale request.
import { z } from 'zod';
import { parseDuration } from './duration.ts';

export type ScaleSpec = {
  readonly min: number;
  readonly max: number;
  readonly factorPercent: number;
  readonly zero: boolean;
  /** How long without calls is idle; `undefined` leaves it to the gateway. */
  readonly zeroDurationMs: number | undefined;
  /** The built-in autoscaler owns the function: alerts for it are ignored (one writer per function). */
  readonly automatic: boolean;
  /** The minimum was set by the user, so it is kept at any time. */
  readonly hasMin: boolean;
};

const count = (text: string | undefined, fallback: number): number =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : fallback;

/** Values that are no numbers fall back to the default, as in OpenFaaS: labels may predate our checks. */
export const toScaleSpec = (labels: Readonly<Record<string, string>> | undefined): ScaleSpec => {
  const get = (key: string): string | undefined => labels?.[`com.openfaas.scale.${key}`];
  const min = Math.max(1, count(get('min'), 1));
  const factor = count(get('factor'), 10);
  const zeroDurationMs = parseDuration(get('zero-duration') ?? '') ?? -1;
  return {
    min,
    max: Math.max(min, count(get('max'), 20)),
    factorPercent: factor > 100 ? 10 : factor,
    zero: get('zero') === 'true',
    zeroDurationMs: zeroDurationMs >= 0 ? zeroDurationMs : undefined,
    automatic: get('type') !== undefined || get('target') !== undefined || get('zero') === 'true',
    hasMin: count(get('min'), 0) > 0,
  };
};

/** Body of `POST /system/scale-function/{name}`. */
export const ScaleRequest = z.looseObject({
  serviceName: z
    .string({ error: 'expected a function name' })
    .nullish()
    .transform((value) => value ?? undefined),
  namespace: z
    .string({ error: 'expected a namespace name' })
    .nullish()
    .transform((value) => value ?? undefined),
  replicas: z
    .int({ error: 'expected a whole number of replicas' })
    .min(0, { error: 'expected 0 or more replicas' })
    .max(100_000, { error: 'expected at most 100000 replicas' }),
});
export type ScaleRequest = z.infer<typeof ScaleRequest>;

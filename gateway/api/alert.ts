// POST /system/alert: Alertmanager tells that functions have much to do, or no longer. OpenFaaS contract, 1.11 and 4.1.
import type { Provider } from '../../provider/provider.ts';
import { Alert, AlertWebhook } from '../../provider/types/alert.ts';
import { FaasError, toFaasError } from '../../provider/types/errors.ts';
import { type FunctionRef, formatRef, isLabelName, parseRef } from '../../provider/types/name.ts';
import { toScaleSpec } from '../../provider/types/scale.ts';
import { parse } from '../../provider/types/validate.ts';
import { sendEmpty } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';
import { createRepeats } from '../scale/repeats.ts';
import { step } from '../scale/step.ts';

type Log = { info(fields: object, message: string): void };

type Parts = {
  readonly provider: Provider;
  readonly defaultNamespace: string;
  readonly log: Log;
  readonly scaled: (key: string, cause: 'alert') => void;
};

const expectedMisses: ReadonlySet<string> = new Set(['not-found', 'invalid']);

const find = async (provider: Provider, ref: FunctionRef) => {
  if (!isLabelName(ref.name) || !isLabelName(ref.namespace)) return undefined;
  try {
    return await provider.get(ref);
  } catch (error) {
    if (expectedMisses.has(toFaasError(error).code)) return undefined;
    throw error;
  }
};

const apply = async ({ provider, log, scaled }: Parts, ref: FunctionRef, firing: boolean): Promise<void> => {
  const status = await find(provider, ref);
  if (status === undefined) return;
  const spec = toScaleSpec(status.labels);
  const fn = formatRef(ref);
  if (spec.automatic) return log.info({ fn }, 'alert ignored: the function is scaled automatically');
  if (spec.factorPercent === 0) return log.info({ fn }, 'alert ignored: its scale factor is 0');
  const from = status.replicas ?? 0;
  const to = step(spec, firing, from);
  if (to === from) return;
  await provider.scale(ref, to);
  scaled(fn, 'alert');
  log.info({ fn, from, to, firing }, 'scaled by alert');
};

const keyOf = ({ status, labels, startsAt = '' }: Alert): string => `${status} ${labels.function_name} ${startsAt}`;

/**
 * Functions that are unknown and alerts that make no sense are passed over; one that cannot be scaled does not keep the
 * others from it, and when the notification is sent again because of it, only what was not done is done.
 */
export const handleAlert = (parts: Parts): Route['run'] => {
  const repeats = createRepeats();
  return async ({ res, body }) => {
    const { groupKey = '', alerts } = parse(AlertWebhook, body);
    const notification = String(groupKey);
    const before = repeats.take(notification);
    const done: string[] = [];
    const failures: string[] = [];
    for (const [index, each] of (alerts ?? []).entries()) {
      const { data: alert } = Alert.safeParse(each);
      if (alert === undefined) continue;
      const key = keyOf(alert);
      const name = alert.labels.function_name;
      try {
        if (!before.has(key)) await apply(parts, parseRef(name, parts.defaultNamespace), alert.status === 'firing');
        done.push(key);
      } catch (error) {
        failures.push(`[${index}] ${name}: ${toFaasError(error).message}`);
      }
    }
    if (failures.length === 0) return sendEmpty(res, 200);
    if (notification !== '') repeats.failed(notification, done);
    throw new FaasError('internal', failures.join('\n'));
  };
};

// Alertmanager's webhook, as far as scaling reads it. All versions of the payload have these; other keys are theirs.
import { z } from 'zod';

/** What else an alert has, or has wrong, is nothing to the others. */
export const Alert = z.looseObject({
  status: z.string({ error: 'expected firing or resolved' }),
  labels: z.looseObject({ function_name: z.string({ error: 'expected name or name.namespace' }).min(1) }),
  startsAt: z.string().optional().catch(undefined),
});
export type Alert = z.infer<typeof Alert>;

export const AlertWebhook = z.looseObject({
  /** A text in version 4, a number in version 3. */
  groupKey: z.union([z.string(), z.number()]).optional().catch(undefined),
  alerts: z.array(z.union([Alert, z.unknown()]), { error: 'expected a list of alerts' }).nullish(),
});
export type AlertWebhook = z.infer<typeof AlertWebhook>;

// Alertmanager's webhook, as far as scaling reads it.
import { z } from 'zod';

export const AlertWebhook = z.looseObject({
  alerts: z
    .array(
      z.looseObject({
        status: z.string({ error: 'expected firing or resolved' }).optional(),
        labels: z.record(z.string(), z.string()).nullish(),
      }),
      { error: 'expected a list of alerts' },
    )
    .nullish(),
});
export type AlertWebhook = z.infer<typeof AlertWebhook>;

// Namespaces on the wire.
import { z } from 'zod';
import { isLabelName, labelNameRule } from './name.ts';

const texts = z
  .record(z.string(), z.string({ error: 'expected a text' }), { error: 'expected an object of texts' })
  .nullish()
  .transform((value) => value ?? {});

export const FunctionNamespace = z.looseObject({
  name: z.string({ error: 'expected a namespace name' }).refine(isLabelName, { error: `expected ${labelNameRule}` }),
  labels: texts,
  annotations: texts,
});

export type FunctionNamespace = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

// template.yml: OpenFaaS's keys, and under `sluice` how a bundle of the template is built and run.
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { watchdogModes } from '../../provider/types/bundle.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { describeIssues } from '../../provider/types/validate.ts';

const text = z.string({ error: 'expected a text' });
const words = z.array(text, { error: 'expected a list of texts' });

// YAML is read with every scalar as written, so that `1.10` and `yes` stay themselves in an environment.
const flag = z.enum(['true', 'false'], { error: 'expected true or false' }).transform((value) => value === 'true');

export const SluiceSection = z.strictObject(
  {
    mode: z.enum(watchdogModes, { error: `expected one of ${watchdogModes.join(', ')}` }),
    /** inproc: module that exports the handler, relative to the template's root, as it is called after the build. */
    handler: text.optional(),
    /** Other modes; `fprocess` of the template when absent. */
    fprocess: text.optional(),
    environment: z.record(z.string(), text, { error: 'expected an object of texts' }).optional(),
    /** Check types and strip them before packing. */
    compile: z.enum(['typescript'], { error: 'expected typescript' }).optional(),
    /** Names of files and folders in the handler folder that stay out of the bundle; `*` stands for any characters. */
    exclude: words.optional(),
    /** Command that tests a function, run in its folder by `sluice build --test`; split on single spaces. */
    test: text.optional(),
    /** Image that an image of the function is built on, where the gateway runs images. */
    base_image: text.optional(),
  },
  { error: 'expected an object' },
);
export type SluiceSection = z.infer<typeof SluiceSection>;

export const TemplateConfig = z.looseObject({
  language: text.optional(),
  fprocess: text.optional(),
  build_options: z
    .array(z.looseObject({ name: text, packages: words.optional() }), { error: 'expected a list of options' })
    .default([]),
  welcome_message: text.optional(),
  handler_folder: text.optional(),
  mount_ssh: flag.optional(),
  sluice: SluiceSection.optional(),
});
export type TemplateConfig = z.infer<typeof TemplateConfig>;

const isInnerPath = (path: string): boolean =>
  !path.startsWith('/') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** A key without a value, and a file without keys, say nothing. */
const withoutEmpty = (value: unknown): unknown => {
  if (value === null || value === '') return {};
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== ''));
};

/** @param file named in messages. @throws invalid with line and column of a YAML mistake, or every bad field */
export const parseTemplateConfig = (file: string, source: string): TemplateConfig => {
  const document = parseDocument(source, { schema: 'failsafe' });
  const mistake = document.errors[0];
  if (mistake !== undefined) throw new FaasError('invalid', `${file}: ${mistake.message}`);
  const value = withoutEmpty(document.toJS());
  const result = TemplateConfig.safeParse(value);
  if (!result.success) throw new FaasError('invalid', `${file}: ${describeIssues(result.error, value, 'template.yml')}`);
  const folder = result.data.handler_folder;
  if (folder !== undefined && !isInnerPath(folder)) {
    throw new FaasError('invalid', `${file}: handler_folder: expected a folder of the template, got ${JSON.stringify(folder)}`);
  }
  return result.data;
};

// Finds the template of a language: the project's own in ./template first, then those that ship with Sluice.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suggest } from '../../provider/types/annotations.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { parseTemplateConfig, type TemplateConfig } from './template-config.ts';

export type Template = {
  /** The template's folder name: `node` also when `node22` was asked for and stands for it. */
  readonly name: string;
  /** The language as asked for. */
  readonly requested: string;
  readonly dir: string;
  /** Folder below `dir` that holds the sample handler and takes the function's own files. */
  readonly handlerFolder: string;
  readonly config: TemplateConfig;
  /** Shipped with Sluice, not found in ./template. */
  readonly builtin: boolean;
};

export type TemplatePlaces = { readonly cwd: string; readonly builtinDir: string };

/** OpenFaaS's template names whose handlers run unchanged on one of ours; a folder in ./template always wins. */
const templateAliases: Readonly<Record<string, string>> = {
  node12: 'node',
  node14: 'node',
  node16: 'node',
  node17: 'node',
  node18: 'node',
  node20: 'node',
  node22: 'node',
  node24: 'node',
  'python3-http': 'python3',
  'python3-http-debian': 'python3',
};

const templateName = /^[A-Za-z0-9][A-Za-z0-9._@-]*$/;

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

const readTemplate = async (dir: string, name: string, requested: string, builtin: boolean): Promise<Template | undefined> => {
  const file = join(dir, 'template.yml');
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new FaasError('invalid', `${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  });
  if (source === undefined) return undefined;
  const config = parseTemplateConfig(file, source);
  return { name, requested, dir, handlerFolder: config.handler_folder ?? 'function', config, builtin };
};

const templatesIn = async (dir: string): Promise<string[]> => {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory() && templateName.test(entry.name)).map((entry) => entry.name);
};

export type ListedTemplate = { readonly name: string; readonly builtin: boolean };

/** Names of all templates, sorted; one in ./template hides a shipped one of the same name. */
export const listTemplates = async (places: TemplatePlaces): Promise<ListedTemplate[]> => {
  const own = await templatesIn(join(places.cwd, 'template'));
  const shipped = (await templatesIn(places.builtinDir)).filter((name) => !own.includes(name));
  const all = [...own.map((name) => ({ name, builtin: false })), ...shipped.map((name) => ({ name, builtin: true }))];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
};

const unknown = async (lang: string, places: TemplatePlaces): Promise<FaasError> => {
  const names = (await listTemplates(places)).map((template) => template.name);
  const close = suggest(lang, [...names, ...Object.keys(templateAliases)]);
  const hint = close === undefined ? 'put other templates into ./template/<lang>' : `did you mean ${close}?`;
  return new FaasError('invalid', `lang: no template called ${JSON.stringify(lang)}; there are ${names.join(', ')}; ${hint}`);
};

/** @throws invalid for an unknown language, with a suggestion and the list, or for a broken template.yml */
export const findTemplate = async (lang: string, places: TemplatePlaces): Promise<Template> => {
  const requested = lang === 'Dockerfile' ? 'dockerfile' : lang;
  if (!templateName.test(requested)) {
    throw new FaasError(
      'invalid',
      `lang: expected the name of a template, got ${lang === '' ? 'nothing' : JSON.stringify(lang)}`,
    );
  }
  const own = await readTemplate(join(places.cwd, 'template', requested), requested, requested, false);
  if (own !== undefined) return own;
  if (requested === 'dockerfile') {
    throw new FaasError(
      'invalid',
      'lang: dockerfile builds a container image, and this gateway runs bundles; choose a template, or wrap the program with lang bash',
    );
  }
  const name = (Object.hasOwn(templateAliases, requested) ? templateAliases[requested] : undefined) ?? requested;
  const shipped = await readTemplate(join(places.builtinDir, name), name, requested, true);
  if (shipped !== undefined) return shipped;
  throw await unknown(requested, places);
};

// Functions that only a Dockerfile can build: lang dockerfile, whose handler folder is the whole context, and templates
// that are written for OpenFaaS's own builder.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import { findTemplate, type Template } from '../templates/find.ts';
import type { BuildOptions } from './build-function.ts';
import { createContext } from './context.ts';

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;

export const isDockerfileLang = (lang: string): boolean => lang.toLowerCase() === 'dockerfile';

/** True for a template of the project's own that says nothing of bundles and has a Dockerfile. */
export const needsDockerfile = async (lang: string, cwd: string, builtinDir: string): Promise<boolean> => {
  if (isDockerfileLang(lang)) return true;
  const template = await findTemplate(lang, { cwd, builtinDir });
  return !template.builtin && template.config.sluice === undefined && (await isFile(join(template.dir, 'Dockerfile')));
};

export type DockerfileContext = { readonly dir: string; readonly buildArgs: Readonly<Record<string, string>> };

/** The packages of the chosen build options, as OpenFaaS's builder hands them to a Dockerfile. */
const packageArguments = ({ config }: Template, chosen: readonly string[]): Record<string, string> => {
  const packages = config.build_options
    .filter((option) => chosen.includes(option.name))
    .flatMap((option) => option.packages ?? []);
  return packages.length === 0 ? {} : { ADDITIONAL_PACKAGE: [...new Set(packages)].join(' ') };
};

const dockerfileOnly: Template = {
  name: 'dockerfile',
  requested: 'dockerfile',
  dir: '',
  handlerFolder: '',
  config: { build_options: [] },
  builtin: false,
};

/** Makes ./build/<name>/ with the Dockerfile in it. @throws invalid when there is none */
export const createDockerfileContext = async (options: BuildOptions): Promise<DockerfileContext> => {
  const { cwd, lang, builtinTemplatesDir, name, handlerDir } = options;
  const template = isDockerfileLang(lang) ? dockerfileOnly : await findTemplate(lang, { cwd, builtinDir: builtinTemplatesDir });
  const context = await createContext({ name, template, cwd, handlerDir, copyExtra: options.copyExtra ?? [] });
  if (!(await isFile(join(context.dir, 'Dockerfile')))) {
    throw new FaasError('invalid', `${handlerDir}: expected a Dockerfile, there is none`);
  }
  return { dir: context.dir, buildArgs: { ...packageArguments(template, options.buildOptions ?? []), ...options.buildArgs } };
};

// How a bundle of a template runs: what its `sluice` section says, or what can be told safely from an OpenFaaS
// template's Dockerfile.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type WatchdogMode, watchdogModes } from '../../provider/types/bundle.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { readDockerfile } from './dockerfile-environment.ts';
import type { Template } from './find.ts';
import type { SluiceSection } from './template-config.ts';

const howTo =
  'add a section such as `sluice: { mode: http, fprocess: node index.js, environment: { upstream_url: "http://127.0.0.1:3000" } }`' +
  ' to its template.yml';

const cannot = (template: Template, why: string): FaasError =>
  new FaasError('invalid', `lang: template ${template.name}: ${why}. This gateway runs bundles, not images; ${howTo}`);

const isMode = (text: string): text is WatchdogMode => watchdogModes.some((mode) => mode === text);

/** True when a word of the command names a file of the template: an interpreter with its script, nothing to be compiled. */
const runsOwnScript = async (dir: string, command: string): Promise<boolean> => {
  for (const word of command.split(' ')) {
    if (!/\.\w+$/.test(word) || word.startsWith('/') || word.includes('..')) continue;
    const found = await stat(join(dir, word)).catch(() => undefined);
    if (found?.isFile()) return true;
  }
  return false;
};

const fromDockerfile = async (template: Template): Promise<SluiceSection> => {
  const text = await readFile(join(template.dir, 'Dockerfile'), 'utf8').catch(() => undefined);
  if (text === undefined) throw cannot(template, 'has neither a sluice section in template.yml nor a Dockerfile');
  const { environment, isClassicWatchdog } = readDockerfile(text);
  const { fprocess: fromEnv, function_process: alternative, mode: wanted, ...others } = environment;
  const fprocess = template.config.fprocess ?? alternative ?? fromEnv;
  if (fprocess === undefined || fprocess === '') throw cannot(template, 'names no fprocess in template.yml or its Dockerfile');
  const mode = wanted ?? (isClassicWatchdog ? 'serializing' : 'streaming');
  if (!isMode(mode) || mode === 'inproc') throw cannot(template, `its Dockerfile sets mode ${JSON.stringify(mode)}`);
  if (!(await runsOwnScript(template.dir, fprocess))) {
    throw cannot(
      template,
      `its fprocess ${JSON.stringify(fprocess)} is not a script of the template, its Dockerfile has to build it`,
    );
  }
  return { mode, fprocess, environment: others };
};

/** @throws invalid when the template has no `sluice` section and its Dockerfile does not tell enough */
export const howToRun = async (template: Template): Promise<SluiceSection> => {
  const section = template.config.sluice;
  if (section === undefined) return fromDockerfile(template);
  const file = join(template.dir, 'template.yml');
  if (section.mode === 'inproc') {
    if (section.handler !== undefined) return section;
    throw new FaasError('invalid', `${file}: sluice.handler: expected the module to load in mode inproc, got nothing`);
  }
  const fprocess = section.fprocess ?? template.config.fprocess;
  if (fprocess === undefined && section.mode !== 'static') {
    throw new FaasError('invalid', `${file}: fprocess: expected the command to run in mode ${section.mode}, got nothing`);
  }
  return fprocess === undefined ? section : { ...section, fprocess };
};

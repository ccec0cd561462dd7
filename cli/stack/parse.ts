// The text of a stack file to a Stack. Pure.
import type { Node } from 'yaml';
import { suggest } from '../../provider/types/annotations.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { isLabelName, labelNameRule } from '../../provider/types/name.ts';
import type { Stack, StackFunction } from './stack.ts';
import { createYamlReader, type Entry, type YamlReader } from './yaml-reader.ts';

const topKeys = ['version', 'provider', 'functions', 'configuration'];

const functionKeys = [
  'lang',
  'handler',
  'image',
  'fprocess',
  'environment',
  'environment_file',
  'secrets',
  'skip_build',
  'constraints',
  'labels',
  'annotations',
  'limits',
  'requests',
  'readonly_root_filesystem',
  'build_options',
  'build_args',
  'build_secrets',
  'namespace',
  'platforms',
];

const resourceKeys = ['memory', 'cpu'];

const unknownKeys = (entries: readonly Entry[], known: readonly string[], where: string): string[] =>
  entries
    .filter((entry) => !known.includes(entry.key))
    .map((entry) => {
      const close = suggest(entry.key, known);
      const hint = close === undefined ? `known are ${known.join(', ')}` : `did you mean ${close}?`;
      return `${entry.place}: ${where}${entry.key}: unknown key, ignored; ${hint}`;
    });

const byKey = (entries: readonly Entry[]): Map<string, Node | undefined> =>
  new Map(entries.map((entry) => [entry.key, entry.value]));

const readResources = (reader: YamlReader, node: Node | undefined, field: string, warnings: string[]) => {
  const entries = reader.entries(node, field);
  warnings.push(...unknownKeys(entries, resourceKeys, `${field}.`));
  const values = byKey(entries);
  return {
    memory: reader.text(values.get('memory'), `${field}.memory`) || undefined,
    cpu: reader.text(values.get('cpu'), `${field}.cpu`) || undefined,
  };
};

const readFunction = (reader: YamlReader, entry: Entry, warnings: string[]): StackFunction => {
  const name = entry.key;
  const field = (key: string): string => `functions.${name}.${key}`;
  if (!isLabelName(name))
    reader.problems.push(`${entry.place}: functions: expected a name of ${labelNameRule}, got ${JSON.stringify(name)}`);
  const entries = reader.entries(entry.value, `functions.${name}`);
  warnings.push(...unknownKeys(entries, functionKeys, field('')));
  const values = byKey(entries);
  const text = (key: string): string => reader.text(values.get(key), field(key));
  const list = (key: string): string[] => reader.list(values.get(key), field(key));
  const texts = (key: string): Record<string, string> => reader.texts(values.get(key), field(key));
  reader.texts(values.get('build_secrets'), field('build_secrets'));
  const lang = text('lang');
  return {
    name,
    place: entry.place,
    places: reader.places(entry.value),
    lang: lang.toLowerCase() === 'dockerfile' ? 'dockerfile' : lang,
    handler: text('handler'),
    image: text('image'),
    fprocess: text('fprocess'),
    environment: texts('environment'),
    environmentFiles: list('environment_file'),
    secrets: list('secrets'),
    skipBuild: reader.flag(values.get('skip_build'), field('skip_build')),
    constraints: values.has('constraints') ? list('constraints') : undefined,
    labels: texts('labels'),
    annotations: texts('annotations'),
    limits: readResources(reader, values.get('limits'), field('limits'), warnings),
    requests: readResources(reader, values.get('requests'), field('requests'), warnings),
    readOnly: reader.flag(values.get('readonly_root_filesystem'), field('readonly_root_filesystem')),
    buildOptions: list('build_options'),
    buildArgs: texts('build_args'),
    namespace: text('namespace'),
  };
};

const checkHead = (reader: YamlReader, top: Map<string, Node | undefined>, provider: Map<string, Node | undefined>): void => {
  const version = reader.text(top.get('version'), 'version');
  if (version !== '' && version !== '1.0') {
    reader.problems.push(`${reader.placeOf(top.get('version'))}: version: expected 1.0, got ${JSON.stringify(version)}`);
  }
  const name = reader.text(provider.get('name'), 'provider.name');
  if (name !== 'openfaas') {
    const place = reader.placeOf(provider.get('name') ?? top.get('provider'));
    reader.problems.push(`${place}: provider.name: expected openfaas, got ${name === '' ? 'nothing' : JSON.stringify(name)}`);
  }
};

/** @throws invalid with every problem as `file:line:column: field: …`, one a line */
export const parseStack = (text: string, file: string): Stack => {
  const reader = createYamlReader(text, file);
  const warnings: string[] = [];
  if (reader.problems.length > 0) throw new FaasError('invalid', reader.problems.join('\n'));
  const entries = reader.entries(reader.root, 'the stack file');
  warnings.push(...unknownKeys(entries, topKeys, ''));
  const top = byKey(entries);
  const provider = byKey(reader.entries(top.get('provider'), 'provider'));
  const configuration = byKey(reader.entries(top.get('configuration'), 'configuration'));
  if (reader.problems.length === 0) checkHead(reader, top, provider);
  const functions = reader.entries(top.get('functions'), 'functions').map((entry) => readFunction(reader, entry, warnings));
  const stack: Stack = {
    file,
    gateway: reader.text(provider.get('gateway'), 'provider.gateway'),
    functions,
    copy: reader.list(configuration.get('copy'), 'configuration.copy'),
    warnings,
  };
  if (reader.problems.length > 0) throw new FaasError('invalid', reader.problems.join('\n'));
  return stack;
};

// The text that `sluice new` writes into a stack file: a whole new one, or one more function in an existing one whose
// comments and layout stay as they are.
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';
import { FaasError } from '../../provider/types/errors.ts';

export type Quantities = { readonly cpu?: string | undefined; readonly memory?: string | undefined };

export type NewFunction = {
  readonly name: string;
  readonly lang: string;
  /** As it is written, relative to the stack file's directory. */
  readonly handler: string;
  readonly image: string;
  readonly requests?: Quantities;
  readonly limits?: Quantities;
};

const scalar = (text: string): string =>
  /^[\w./@-][\w./:@+-]*$/.test(text) && !text.endsWith(':') ? text : JSON.stringify(text);

const quantities = (title: string, values: Quantities | undefined): string[] => {
  const rows = Object.entries({ cpu: values?.cpu, memory: values?.memory }).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  return rows.length === 0 ? [] : [`  ${title}:`, ...rows.map(([key, value]) => `    ${key}: ${scalar(value ?? '')}`)];
};

const functionLines = (spec: NewFunction, indent: string): string =>
  [
    `${spec.name}:`,
    `  lang: ${scalar(spec.lang)}`,
    `  handler: ${scalar(spec.handler)}`,
    `  image: ${scalar(spec.image)}`,
    ...quantities('requests', spec.requests),
    ...quantities('limits', spec.limits),
  ]
    .map((line) => `${indent}${line}\n`)
    .join('');

/** A stack file with one function. */
export const newStackText = (gateway: string, spec: NewFunction): string =>
  `version: 1.0\nprovider:\n  name: openfaas\n  gateway: ${scalar(gateway)}\nfunctions:\n${functionLines(spec, '  ')}\n`;

const functionsOf = (file: string, text: string): { readonly map: YAMLMap | undefined; readonly isWritten: boolean } => {
  const document = parseDocument(text, { schema: 'failsafe' });
  const mistake = document.errors[0];
  if (mistake !== undefined) throw new FaasError('invalid', `${file}: ${mistake.message}`);
  if (document.contents !== null && !isMap(document.contents)) {
    if (isScalar(document.contents) && document.contents.value === '') return { map: undefined, isWritten: false };
    throw new FaasError('invalid', `${file}: expected a stack file with a map of functions`);
  }
  const node = document.get('functions', true);
  if (node === undefined) return { map: undefined, isWritten: false };
  if (isMap(node)) return { map: node, isWritten: true };
  if (isScalar(node) && (node.value === '' || node.value === null)) return { map: undefined, isWritten: true };
  throw new FaasError('invalid', `${file}: functions: expected a map`);
};

const namesOf = (map: YAMLMap | undefined): string[] =>
  (map?.items ?? []).map((item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)));

const startOfLine = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;

/** Where the last function's own lines end: comments and blank lines behind it belong to what follows. */
const endOfLast = (text: string, map: YAMLMap): number => {
  const last = map.items.at(-1);
  const node = (last?.value ?? last?.key) as { readonly range?: readonly [number, number, number] } | undefined;
  const end = text.slice(0, node?.range?.[1] ?? text.length).trimEnd().length;
  const newline = text.indexOf('\n', end);
  return newline === -1 ? text.length : newline + 1;
};

const insertInto = (file: string, text: string, map: YAMLMap | undefined, isWritten: boolean, spec: NewFunction): string => {
  const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  if (map === undefined && !isWritten) return `${whole}functions:\n${functionLines(spec, '  ')}\n`;
  const key = map?.items[0]?.key as { readonly range?: readonly [number, number, number] } | undefined;
  if (map === undefined || map.flow || key?.range === undefined) {
    throw new FaasError('invalid', `${file}: functions: expected at least one function on lines of its own to append to`);
  }
  const indent = whole.slice(startOfLine(whole, key.range[0]), key.range[0]);
  const at = endOfLast(whole, map);
  const before = whole.slice(0, at);
  const after = whole.slice(at);
  return `${before}\n${functionLines(spec, indent)}${after.trim() === '' ? '\n' : after}`;
};

/** @throws invalid when the file is no stack, conflict when it has a function of this name */
export const checkAppend = (file: string, text: string, name: string): void => {
  if (namesOf(functionsOf(file, text).map).includes(name)) {
    throw new FaasError('conflict', `${file}: has a function ${name} already`);
  }
};

/** `text` with one more function behind its last one. @throws as checkAppend, or invalid when there is no place for it */
export const appendedStackText = (file: string, text: string, spec: NewFunction): string => {
  checkAppend(file, text, spec.name);
  const { map, isWritten } = functionsOf(file, text);
  const appended = insertInto(file, text, map, isWritten, spec);
  // What a person's layout makes of an insertion cannot be foreseen in full; a stack that lost something is not written.
  const names = namesOf(functionsOf(file, appended).map);
  if (names.join('\n') !== [...namesOf(map), spec.name].join('\n')) {
    throw new FaasError('invalid', `${file}: functions: cannot append to this layout; add ${spec.name} by hand`);
  }
  return appended;
};

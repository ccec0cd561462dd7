// Reads an HTML form body into an object, nested keys included: `a[b]=1&c[]=2&c[]=3` is { a: { b: '1' }, c: ['2', '3'] }.
import { parse } from 'node:querystring';

type Form = { [name: string]: FormValue };
export type FormValue = string | FormValue[] | Form;

const maxDepth = 5;
const maxFields = 1000;
const maxIndex = 20;

/** `a[b][c]` is [a, b, c]; what lies deeper than five brackets stays one key. */
const pathOf = (name: string): string[] => {
  const first = name.indexOf('[');
  if (first <= 0) return [name];
  const path = [name.slice(0, first)];
  let rest = name.slice(first);
  for (let match = /^\[([^[\]]*)\]/.exec(rest); match !== null && path.length <= maxDepth; match = /^\[([^[\]]*)\]/.exec(rest)) {
    path.push(match[1] as string);
    rest = rest.slice(match[0].length);
  }
  if (rest !== '') path.push(rest);
  return path;
};

const isIndex = (key: string): boolean => key === '' || (/^\d{1,2}$/.test(key) && Number(key) <= maxIndex);

const add = (into: Form, path: readonly string[], value: string): void => {
  const [key, ...rest] = path as [string, ...string[]];
  if (key === '__proto__') return;
  const present = into[key];
  if (rest.length === 0) {
    if (present === undefined) into[key] = value;
    else if (Array.isArray(present)) present.push(value);
    else into[key] = [present, value];
    return;
  }
  if (rest.length === 1 && isIndex(rest[0] as string) && (present === undefined || Array.isArray(present))) {
    if (present === undefined) into[key] = [value];
    else present.push(value);
    return;
  }
  const inner: Form = isForm(present) ? present : {};
  if (!isForm(present)) into[key] = inner;
  add(inner, rest, value);
};

const isForm = (value: FormValue | undefined): value is Form => typeof value === 'object' && !Array.isArray(value);

export const parseForm = (text: string): Form => {
  const form: Form = {};
  const flat = parse(text, '&', '=', { maxKeys: maxFields });
  for (const [name, values] of Object.entries(flat)) {
    for (const value of Array.isArray(values) ? values : [values ?? '']) add(form, pathOf(name), value);
  }
  return form;
};

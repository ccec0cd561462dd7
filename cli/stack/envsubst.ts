// `${VARIABLE}` in the text of a stack file, with the forms that faas-cli knows (contract sheet of the CLI, 16.1). Pure.
import { FaasError } from '../../provider/types/errors.ts';
import type { Environment } from '../context.ts';

type Cursor = { readonly text: string; at: number };

const fail = (cursor: Cursor, start: number, expected: string): FaasError => {
  const line = cursor.text.slice(0, start).split('\n').length;
  const shown = cursor.text.slice(start, start + 30).split('\n')[0];
  return new FaasError('invalid', `${line}: ${expected}, got ${JSON.stringify(shown)}`);
};

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A shell pattern of `*` and `?` as the inside of a regular expression; `lazy` takes as little as possible. */
const toRegex = (pattern: string, lazy: boolean): string =>
  [...pattern].map((char) => (char === '*' ? `[^]*${lazy ? '?' : ''}` : char === '?' ? '[^]' : escapeRegex(char))).join('');

const trimEnd = (value: string, pattern: string, longest: boolean): string => {
  const tail = new RegExp(`^(?:${toRegex(pattern, false)})$`);
  const cuts = Array.from({ length: value.length + 1 }, (_, index) => (longest ? index : value.length - index));
  const cut = cuts.find((index) => tail.test(value.slice(index)));
  return cut === undefined ? value : value.slice(0, cut);
};

const replaced = (value: string, from: string, to: string): string => {
  if (from.startsWith('/')) return from === '/' ? value : value.replaceAll(from.slice(1), () => to);
  if (from.startsWith('#')) return value.startsWith(from.slice(1)) ? to + value.slice(from.length - 1) : value;
  if (from.startsWith('%')) {
    const end = from.slice(1);
    return value.endsWith(end) ? value.slice(0, value.length - end.length) + to : value;
  }
  return from === '' ? value : value.replace(from, () => to);
};

const firstLetter = (value: string, change: (letter: string) => string): string => change(value.slice(0, 1)) + value.slice(1);

const part = (value: string, offsetText: string, lengthText: string | undefined): string => {
  const offset = Number.parseInt(offsetText, 10) || 0;
  const rest = offset < 0 ? value.slice(offset) : value.slice(Math.min(offset, value.length));
  const length = lengthText === undefined ? undefined : Number.parseInt(lengthText, 10) || 0;
  return length === undefined ? rest : rest.slice(0, length);
};

/** Reads until one of `stops` that is not inside a nested expression, replacing those. */
const readUntil = (cursor: Cursor, stops: string, env: Environment, start: number): string => {
  let result = '';
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at] ?? '';
    if (stops.includes(char)) return result;
    if (char === '$' && cursor.text[cursor.at + 1] === '{') result += readExpression(cursor, env);
    else {
      result += char;
      cursor.at += 1;
    }
  }
  throw fail(cursor, start, 'expected a closing brace');
};

/** Takes `text` when it comes next. */
const take = (cursor: Cursor, text: string): boolean => {
  if (!cursor.text.startsWith(text, cursor.at)) return false;
  cursor.at += text.length;
  return true;
};

const defaults = [':-', ':=', ':?', ':+', '='];

const applyOperator = (cursor: Cursor, value: string, env: Environment, start: number): string => {
  if (defaults.some((operator) => take(cursor, operator))) {
    const fallback = readUntil(cursor, '}', env, start);
    return value === '' ? fallback : value;
  }
  if (take(cursor, '^^')) return value.toUpperCase();
  if (take(cursor, '^')) return firstLetter(value, (letter) => letter.toUpperCase());
  if (take(cursor, ',,')) return value.toLowerCase();
  if (take(cursor, ',')) return firstLetter(value, (letter) => letter.toLowerCase());
  if (take(cursor, '##')) return value.replace(new RegExp(`^(?:${toRegex(readUntil(cursor, '}', env, start), false)})`), '');
  if (take(cursor, '#')) return value.replace(new RegExp(`^(?:${toRegex(readUntil(cursor, '}', env, start), true)})`), '');
  if (take(cursor, '%%')) return trimEnd(value, readUntil(cursor, '}', env, start), true);
  if (take(cursor, '%')) return trimEnd(value, readUntil(cursor, '}', env, start), false);
  if (take(cursor, ':')) {
    const offset = readUntil(cursor, ':}', env, start);
    return part(value, offset, take(cursor, ':') ? readUntil(cursor, '}', env, start) : undefined);
  }
  if (take(cursor, '/')) {
    const anchor = take(cursor, '/') ? '/' : '';
    const from = anchor + readUntil(cursor, '/}', env, start);
    return replaced(value, from, take(cursor, '/') ? readUntil(cursor, '}', env, start) : '');
  }
  return value;
};

const readName = (cursor: Cursor): string => {
  const name = /^[A-Za-z0-9_]+/.exec(cursor.text.slice(cursor.at, cursor.at + 256))?.[0] ?? '';
  cursor.at += name.length;
  return name;
};

/** From `${` to behind its `}`. */
const readExpression = (cursor: Cursor, env: Environment): string => {
  const start = cursor.at;
  cursor.at += 2;
  const counts = take(cursor, '#');
  const name = readName(cursor);
  if (name === '') throw fail(cursor, start, 'expected a variable name');
  const value = env[name] ?? '';
  const result = counts ? String([...value].length) : applyOperator(cursor, value, env, start);
  if (!take(cursor, '}')) throw fail(cursor, start, 'expected a closing brace');
  return result;
};

/**
 * `$$` is one dollar, `\\` and `\/` lose their backslash, `$NAME` without braces stays.
 * @throws invalid, the message beginning with the line
 */
export const substitute = (text: string, env: Environment): string => {
  const cursor: Cursor = { text, at: 0 };
  let result = '';
  while (cursor.at < text.length) {
    if (take(cursor, '$$')) result += '$';
    else if (take(cursor, '\\\\')) result += '\\';
    else if (take(cursor, '\\/')) result += '/';
    else if (text.startsWith('${', cursor.at)) result += readExpression(cursor, env);
    else {
      result += text[cursor.at];
      cursor.at += 1;
    }
  }
  return result;
};

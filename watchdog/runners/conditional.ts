// Conditional and range requests (RFC 9110, 13 and 14), as far as files need them. Pure.
import type { IncomingHttpHeaders } from 'node:http';

export type Range = { readonly start: number; readonly end: number };

export const tagOf = (size: number, mtimeMs: number): string => `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`;

const isSince = (text: string, mtimeMs: number): boolean => {
  const since = Date.parse(text);
  return !Number.isNaN(since) && Math.floor(mtimeMs / 1000) * 1000 <= since;
};

const listsTag = (list: string, tag: string): boolean =>
  list.trim() === '*' || list.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);

/** Whether the client's copy is current, so that 304 is the answer. */
export const isUnchanged = (headers: IncomingHttpHeaders, tag: string, mtimeMs: number): boolean => {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return listsTag(tags, tag);
  const since = headers['if-modified-since'];
  return since !== undefined && isSince(since, mtimeMs);
};

/** `bytes=0-4`, `bytes=5-`, `bytes=-5` of a file; `undefined` for the whole of it, as for several ranges at once. */
export const parseRange = (
  headers: IncomingHttpHeaders,
  size: number,
  tag: string,
  mtimeMs: number,
): Range | 'unsatisfiable' | undefined => {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const condition = headers['if-range'];
  if (typeof condition === 'string' && condition !== tag && !isSince(condition, mtimeMs)) return undefined;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
};

// Which trailers of a request reach a function.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { hopByHop } from '../../provider/types/headers.ts';
import { withoutNamed } from './forwarded.ts';

/** Never taken from trailers: a reader that merges them into the head must not be told where, who, or how long (RFC 9110, 6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  ...hopByHop,
  'host',
  'expect',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'forwarded',
  'x-call-id',
  'x-start-time',
]);

const mayPass = (name: string): boolean => {
  const lower = name.toLowerCase();
  return !neverTrailers.has(lower) && !lower.startsWith('x-forwarded-');
};

/** The trailers of a body that has ended, as lines; empty when it has none. */
export const trailerLines = (body: Readable & Partial<Pick<IncomingMessage, 'rawHeaders' | 'rawTrailers'>>): string => {
  const { rawTrailers = [], rawHeaders = [] } = body;
  if (rawTrailers.length === 0) return '';
  const raw = withoutNamed(rawTrailers, rawHeaders);
  let lines = '';
  for (let i = 0; i < raw.length; i += 2) {
    if (mayPass(raw[i] as string)) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  }
  return lines;
};

// The head of a request as it goes to a function: one string, in which nothing ends a line that should not.
import { Readable } from 'node:stream';
import { isToken, isValue } from './fields.ts';
import type { Invocation } from './invocation.ts';

/** What is said of a body: nothing, its length, or that it comes in chunks. */
export type RequestFraming = 'none' | 'chunked' | number;

export type RequestHead = { readonly text: string; readonly framing: RequestFraming };

/** Methods whose requests say so when they have no body (RFC 9110, 8.6). */
const expectsBody = (method: string): boolean => method === 'POST' || method === 'PUT' || method === 'PATCH';

const pathCodes = /^[\x21-\xff]+$/;

const refuse = (what: string, got: string): never => {
  throw new Error(`${what}, got ${JSON.stringify(got.slice(0, 60))}`);
};

const framingOf = ({ method, body }: Invocation, length: string | undefined): RequestFraming => {
  if (!(body instanceof Readable)) {
    const bytes = body?.length ?? 0;
    return bytes > 0 || expectsBody(method) ? bytes : 'none';
  }
  if (length === undefined) return 'chunked';
  return /^\d{1,15}$/.test(length) ? Number(length) : refuse('Content-Length: expected a number', length);
};

/**
 * @param defaultHost said to a function where the caller has named none
 * @throws Error naming what HTTP does not allow
 */
export const requestHead = (invocation: Invocation, defaultHost: string): RequestHead => {
  const { method, target, headers } = invocation;
  if (!isToken(method)) refuse('method: expected a token', method);
  if (!pathCodes.test(target)) refuse('path: expected visible characters', target);
  let host = defaultHost;
  let length: string | undefined;
  let fields = '';
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isToken(name)) refuse('expected the name of a header', name);
    if (!isValue(value)) refuse(`${name}: expected Latin-1 text without control characters`, value);
    // Framing is ours.
    if (name.length === 4 && name.toLowerCase() === 'host') host = value;
    else if (name.length === 14 && name.toLowerCase() === 'content-length') length = value;
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') refuse('Transfer-Encoding: expected none', value);
    else fields += `${name}: ${value}\r\n`;
  }
  const framing = framingOf(invocation, length);
  const end =
    framing === 'none'
      ? '\r\n'
      : framing === 'chunked'
        ? 'transfer-encoding: chunked\r\n\r\n'
        : `content-length: ${framing}\r\n\r\n`;
  return { text: `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${fields}${end}`, framing };
};

// Reads requests as RFC 9112 has them and nothing else, with no code of the gateway's and none of node:http's. It takes three
// liberties of the RFC that the gateway takes, too: line ends before a request, several spaces in its first line, and zeros
// before a length or the size of a chunk.
import type { Pair } from '../../helpers/raw-client.ts';

export type StrictRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Pair[];
  /** Decoded, as far as it came; one character a byte. */
  readonly body: string;
  /** False when it ends too early, or its body is wrong from here on. */
  readonly isComplete: boolean;
};

export type Reading = {
  readonly requests: readonly StrictRequest[];
  /** `clean`: nothing is left; `last`: after the last request nothing is one. */
  readonly end: 'clean' | 'last' | 'incomplete' | 'invalid';
};

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) +([\x21-\x7e]+) +HTTP\/1\.([01])$/;
const field =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;
const chunkLine = /^([0-9a-f]+)(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;

/** `undefined` when one of the lines is no field. */
const readFields = (lines: readonly string[]): Pair[] | undefined => {
  const pairs: Pair[] = [];
  for (const line of lines) {
    const match = field.exec(line);
    if (match === null) return undefined;
    pairs.push([match[1] as string, match[2] as string]);
  }
  return pairs;
};

const valuesOf = (headers: readonly Pair[], name: string): string[] =>
  headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);

/** `undefined` for a body that may end in two places. */
const framingOf = (headers: readonly Pair[], minor: string): number | 'chunked' | undefined => {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    return isChunked && lengths.length === 0 && minor === '1' ? 'chunked' : undefined;
  }
  if (lengths.length === 0) return 0;
  return lengths.length === 1 && /^\d{1,15}$/.test(lengths[0] as string) ? Number(lengths[0]) : undefined;
};

type Body = { readonly text: string; readonly next: number; readonly end: 'clean' | 'incomplete' | 'invalid' };

const readTrailers = (bytes: string, start: number, text: string): Body => {
  if (bytes.startsWith('\r\n', start)) return { text, next: start + 2, end: 'clean' };
  const end = bytes.indexOf('\r\n\r\n', start);
  if (end === -1) return { text, next: start, end: 'incomplete' };
  const trailers = readFields(bytes.slice(start, end).split('\r\n'));
  const isFraming = trailers?.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name)) ?? true;
  return { text, next: end + 4, end: isFraming ? 'invalid' : 'clean' };
};

const readChunks = (bytes: string, start: number): Body => {
  let text = '';
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return { text, next: at, end: 'incomplete' };
    const match = chunkLine.exec(bytes.slice(at, lineEnd));
    if (match === null) return { text, next: at, end: 'invalid' };
    const size = Number.parseInt(match[1] as string, 16);
    at = lineEnd + 2;
    if (size === 0) return readTrailers(bytes, at, text);
    text += bytes.slice(at, at + size);
    if (bytes.length < at + size + 2) {
      const isEndWrong = bytes.length === at + size + 1 && bytes.at(-1) !== '\r';
      return { text, next: at, end: isEndWrong ? 'invalid' : 'incomplete' };
    }
    if (!bytes.startsWith('\r\n', at + size)) return { text, next: at, end: 'invalid' };
    at += size + 2;
  }
};

const readBody = (bytes: string, start: number, framing: number | 'chunked'): Body => {
  if (framing === 'chunked') return readChunks(bytes, start);
  const text = bytes.slice(start, start + framing);
  return { text, next: start + framing, end: text.length === framing ? 'clean' : 'incomplete' };
};

const isLast = (headers: readonly Pair[], minor: string): boolean => {
  const options = valuesOf(headers, 'connection').flatMap((value) => value.toLowerCase().split(/[\t ]*,[\t ]*/));
  return options.includes('close') || (minor === '0' && !options.includes('keep-alive'));
};

/** All requests that bytes hold, up to what is none. @param bytes one character a byte */
export const readRequests = (bytes: string): Reading => {
  const requests: StrictRequest[] = [];
  for (let at = 0; ; ) {
    while (bytes[at] === '\r' || bytes[at] === '\n') at += 1;
    if (at === bytes.length) return { requests, end: 'clean' };
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd === -1) return { requests, end: 'incomplete' };
    const [first = '', ...lines] = bytes.slice(at, headEnd).split('\r\n');
    const match = requestLine.exec(first);
    const headers = readFields(lines);
    if (match === null || headers === undefined) return { requests, end: 'invalid' };
    const [, method = '', target = '', minor = ''] = match;
    const hosts = valuesOf(headers, 'host').length;
    const framing = framingOf(headers, minor);
    if (framing === undefined || hosts > 1 || (hosts === 0 && minor === '1')) return { requests, end: 'invalid' };
    const body = readBody(bytes, headEnd + 4, framing);
    requests.push({ method, target, headers, body: body.text, isComplete: body.end === 'clean' });
    if (body.end !== 'clean') return { requests, end: body.end };
    if (isLast(headers, minor)) return { requests, end: 'last' };
    at = body.next;
  }
};

// Writes a Response that a handler returned to the HTTP response of its call.
import { hopByHop } from '../../provider/types/headers.ts';
import type { Call } from '../call.ts';
import { endWith, isAscii, sendHead } from '../latin-head.ts';
import type { BodySource } from '../web/extract.ts';
import { type ResponseParts, WebResponse } from '../web/response.ts';
import { streamOut } from './stream-out.ts';

type Sized = {
  readonly headers: string[];
  readonly length: string | undefined;
  readonly type: string;
  readonly isPlain: boolean;
};

/** Our connection has its own framing; only a stream's declared length is worth keeping. */
const withoutFraming = (flat: readonly string[]): Sized => {
  const headers: string[] = [];
  let length: string | undefined;
  let type = '';
  let isPlain = true;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    const value = flat[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'content-length') length = value;
    else if (!hopByHop.has(lower)) headers.push(name, value);
    if (lower === 'content-type') type = value;
    isPlain &&= isAscii(value);
  }
  return { headers, length, type, isPlain };
};

/** Of a fetched response the body is decoded already, which its headers do not know. */
const partsOfNative = (response: Response): ResponseParts => {
  const decoded = response.headers.has('content-encoding');
  const headers: string[] = [];
  for (const [name, value] of response.headers) {
    if (!decoded || (name !== 'content-encoding' && name !== 'content-length')) headers.push(name, value);
  }
  if (response.bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
  return { status: response.status, statusText: response.statusText, headers, body: response.body as BodySource };
};

const partsOf = (value: object): ResponseParts =>
  WebResponse.isOurs(value) ? WebResponse.partsOf(value) : partsOfNative(value as Response);

/** Streams of events outlive `exec_timeout`, which then only bounds the wait for their first byte. */
export const isEventStream = (type: string): boolean => /^\s*(?:text\/event-stream|application\/x-ndjson)/i.test(type);

const hasNoBody = (status: number): boolean => status === 204 || status === 304;

/**
 * @param writeTimeoutMs what bounds a stream of events instead of `exec_timeout`
 * @returns a promise only for bodies that take time; it rejects when the body fails
 * @throws for what cannot be a head: a status or header that HTTP does not have
 */
export const sendResponse = (call: Call, value: object, writeTimeoutMs: number): Promise<void> | undefined => {
  const { status, statusText, headers: flat, body } = partsOf(value);
  const { response } = call;
  const { headers, length, type, isPlain } = withoutFraming(flat);
  headers.push(...call.duration());
  const head = (): void => {
    if (statusText === '') response.writeHead(status, headers);
    else response.writeHead(status, statusText, headers);
  };
  if (body === null || hasNoBody(status)) {
    if (!hasNoBody(status)) headers.push('Content-Length', length !== undefined && call.request.method === 'HEAD' ? length : '0');
    head();
    response.end();
    return undefined;
  }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    headers.push('Content-Length', String(Buffer.byteLength(body)));
    head();
    endWith(response, body, isPlain && isAscii(statusText));
    return undefined;
  }
  if (length !== undefined && /^\d+$/.test(length)) {
    headers.push('Content-Length', length);
    response.strictContentLength = true;
  }
  head();
  sendHead(response);
  if (isEventStream(type)) call.limit(writeTimeoutMs, 'write_timeout');
  const stream = 'stream' in body ? body.stream() : body;
  if (call.request.method === 'HEAD') {
    response.end();
    return stream.cancel();
  }
  return streamOut(response, stream);
};

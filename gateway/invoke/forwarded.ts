// Which headers cross the gateway, and what it adds on the way. Lists are flat: name, value, name, value, …
import { callIdHeader, hopByHop, namedByConnection, servedByHeader, startTimeHeader } from '../../provider/types/headers.ts';

export type ForwardContext = {
  /** Used when the caller sent none. */
  readonly callId: string;
  readonly startTime: string;
  /** `ip:port` of the caller. */
  readonly remote: string;
  readonly userAgent: string;
  /** Trailers can follow the body, so `Trailer` is passed on. */
  readonly chunked: boolean;
};

/** Framing and addressing cannot be declared connection-local: a message without them would be another message. */
const neverNamed: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type']);

const isPlainConnection = (value: string): boolean => {
  const text = value.toLowerCase();
  return text === 'keep-alive' || text === 'close' || text === '';
};

/**
 * The list without the headers that the `Connection` headers in it name; the same list when they name none.
 * @param head whose `Connection` counts, if it is not the list's own: trailers obey that of their head (RFC 9110, 7.6.1)
 */
export const withoutNamed = (raw: readonly string[], head: readonly string[] = raw): readonly string[] => {
  let named: Set<string> | undefined;
  for (let i = 0; i < head.length; i += 2) {
    const name = head[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = head[i + 1] as string;
    if (isPlainConnection(value)) continue;
    named ??= new Set();
    for (const each of namedByConnection(value)) if (!neverNamed.has(each)) named.add(each);
  }
  if (named === undefined || named.size === 0) return raw;
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!named.has((raw[i] as string).toLowerCase())) kept.push(raw[i] as string, raw[i + 1] as string);
  }
  return kept;
};

/**
 * What a function gets of a request's headers. `Host` stays the caller's; `Expect` is between the caller and us.
 * @param raw as node:http's `rawHeaders`
 */
export const requestHeaders = (raw: readonly string[], context: ForwardContext): string[] => {
  const source = withoutNamed(raw);
  const out: string[] = [];
  let host: string | undefined;
  let hasCallId = false;
  let hasUserAgent = false;
  let hasForwardedFor = false;
  let hasForwardedHost = false;
  for (let i = 0; i < source.length; i += 2) {
    const name = source[i] as string;
    const value = source[i + 1] as string;
    // Only names of these lengths need a look: most headers pass without being lower-cased.
    switch (name.length) {
      case 7: {
        const lower = name.toLowerCase();
        if (lower === 'trailer' ? !context.chunked : hopByHop.has(lower)) continue;
        break;
      }
      case 2:
      case 17:
      case 18:
      case 19:
        if (hopByHop.has(name.toLowerCase())) continue;
        break;
      case 4:
        if (name.toLowerCase() === 'host') host = value;
        break;
      case 6:
        if (name.toLowerCase() === 'expect') continue;
        break;
      case 9:
        if (name.toLowerCase() === 'x-call-id') {
          if (value === '') continue;
          hasCallId = true;
        }
        break;
      case 10: {
        const lower = name.toLowerCase();
        if (hopByHop.has(lower)) continue;
        if (lower === 'user-agent') hasUserAgent = true;
        break;
      }
      case 15:
        if (name.toLowerCase() === 'x-forwarded-for') hasForwardedFor = true;
        break;
      case 16: {
        const lower = name.toLowerCase();
        if (hopByHop.has(lower)) continue;
        if (lower === 'x-forwarded-host') hasForwardedHost = true;
        break;
      }
    }
    out.push(name, value);
  }
  if (!hasCallId) out.push(callIdHeader, context.callId);
  out.push(startTimeHeader, context.startTime);
  if (!hasForwardedFor) out.push('X-Forwarded-For', context.remote);
  if (!hasForwardedHost && host !== undefined) out.push('X-Forwarded-Host', host);
  if (!hasUserAgent) out.push('User-Agent', context.userAgent);
  return out;
};

/**
 * What a caller gets of an answer's headers, or of its trailers. `Trailer` stays where trailers can follow.
 * @param head all headers of the answer whose trailers these are
 */
export const responseHeaders = (raw: readonly string[], head?: readonly string[]): string[] => {
  const source = withoutNamed(raw, head);
  const out: string[] = [];
  for (let i = 0; i < source.length; i += 2) {
    const name = source[i] as string;
    // As above: names of other lengths are not hop-by-hop.
    switch (name.length) {
      case 2:
      case 7:
      case 10:
      case 16:
      case 17:
      case 18:
      case 19: {
        const lower = name.toLowerCase();
        if (hopByHop.has(lower) && lower !== 'trailer') continue;
      }
    }
    out.push(name, source[i + 1] as string);
  }
  return out;
};

export type AnswerContext = {
  /** Sent back only when the platform made it; a caller's own id is not echoed. */
  readonly callId: string | undefined;
  readonly startTime: string;
  readonly servedBy: string;
  /** `Content-Type` of the request: the answer's, when the function sets none. */
  readonly requestType: string | undefined;
  /** `Date` for an answer that brings none. */
  readonly date: () => string;
};

export type AnswerHead = {
  readonly headers: string[];
  /** The length of the body is among them. */
  readonly hasLength: boolean;
};

/** @param lowerCaseName what is left out */
const without = (headers: readonly string[], lowerCaseName: string): string[] => {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== lowerCaseName) kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return kept;
};

/** For 1xx and 204, which have no body whatever they say: a client that believed it would wait, or eat the next answer. */
export const withoutLength = (headers: readonly string[]): string[] => without(headers, 'content-length');

/** The platform's headers alone, for answers that are not the function's. */
export const platformHeaders = ({ callId, startTime, servedBy }: AnswerContext): Record<string, string> => {
  const headers: Record<string, string> = { [startTimeHeader]: startTime, [servedByHeader]: servedBy };
  if (callId !== undefined) headers[callIdHeader] = callId;
  return headers;
};

/**
 * Adds the platform's headers to a function's answer; the function's own of the same name win.
 * @param chunkable whether the answer is chunked unless it has a length, so that trailers can follow
 */
export const answerHeaders = (headers: string[], context: AnswerContext, chunkable: boolean): AnswerHead => {
  let trailer = false;
  let length = false;
  let type = false;
  let callId = context.callId === undefined;
  let startTime = false;
  let servedBy = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length < 7 || name.length > 14) continue;
    const lower = name.toLowerCase();
    if (lower === 'content-type') type = true;
    else if (lower === 'content-length') length = true;
    else if (lower === 'trailer') trailer = true;
    else if (lower === 'x-call-id') callId = true;
    else if (lower === 'x-start-time') startTime = true;
    else if (lower === 'x-served-by') servedBy = true;
  }
  if (!type) headers.push('Content-Type', context.requestType ?? 'text/plain');
  if (!callId) headers.push(callIdHeader, context.callId as string);
  if (!startTime) headers.push(startTimeHeader, context.startTime);
  if (!servedBy) headers.push(servedByHeader, context.servedBy);
  // node:http refuses `Trailer` where no trailers can follow.
  const sendable = trailer && (length || !chunkable) ? without(headers, 'trailer') : headers;
  return { headers: sendable, hasLength: length };
};

// Answers that the watchdog gives in the function's place: text for people, JSON when asked for, and headers that name us.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodeHeader, errorReasonHeader, internalHeader } from '../provider/types/headers.ts';

/** The word of `provider/types/errors.ts` for a status that the watchdog gives. */
const codes: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'too-large',
  429: 'busy',
  431: 'headers-too-large',
  500: 'internal',
  503: 'unavailable',
  504: 'timeout',
};

const ended = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** The body of an answer in the function's place, and its headers, names and values in turn. */
export const compose = (
  request: IncomingMessage,
  status: number,
  text: string,
  headers: readonly string[] = [],
  reason?: string,
): { readonly body: string; readonly headers: string[] } => {
  const code = codes[status];
  const asJson = code !== undefined && request.headers.accept?.toLowerCase().includes('application/json') === true;
  const body = asJson ? `${JSON.stringify({ error: { code, reason, message: text.trimEnd() } })}\n` : ended(text);
  return {
    body,
    headers: [
      'Content-Type',
      asJson ? 'application/json' : 'text/plain; charset=utf-8',
      'Content-Length',
      String(Buffer.byteLength(body)),
      internalHeader,
      'watchdog',
      ...(code === undefined ? [] : [errorCodeHeader, code]),
      ...(reason === undefined ? [] : [errorReasonHeader, reason]),
      ...headers,
    ],
  };
};

/**
 * Answers in the function's place, or cuts the connection when an answer has begun: a cut is seen, a short body is not.
 * @param reason finer than the status
 */
export const answer = (
  response: ServerResponse,
  status: number,
  text: string,
  headers: readonly string[] = [],
  reason?: string,
): void => {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  if (response.destroyed) return;
  const composed = compose(response.req, status, text, headers, reason);
  response.writeHead(status, composed.headers);
  response.end(composed.body);
};

// The only place that turns an error into a response.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type FaasError, toFaasError } from '../../provider/types/errors.ts';
import { errorCodeHeader, errorReasonHeader, internalHeader } from '../../provider/types/headers.ts';
import { STATUS_CODES } from '../node-http.ts';

export type ErrorResponse = { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: string };

const acceptsJson = (accept: string | undefined): boolean => accept?.toLowerCase().includes('application/json') ?? false;

/** The response to an error: text, or JSON when `accept` asks for it. */
export const toErrorResponse = (error: FaasError, accept?: string, component = 'gateway'): ErrorResponse => {
  const asJson = acceptsJson(accept);
  const body = asJson
    ? `${JSON.stringify({ error: { code: error.code, reason: error.reason, message: error.message } })}\n`
    : `${error.message}\n`;
  const headers: OutgoingHttpHeaders = {
    'Content-Type': asJson ? 'application/json' : 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    [errorCodeHeader]: error.code,
    [internalHeader]: component,
  };
  if (error.reason !== undefined) headers[errorReasonHeader] = error.reason;
  if (error.retryAfterS !== undefined) headers['Retry-After'] = String(error.retryAfterS);
  return { status: error.status, headers, body };
};

/**
 * Answers `error`; cuts the connection when an answer has begun, so that it cannot look complete.
 * @param extra headers besides the error's own
 */
export const sendError = (req: IncomingMessage, res: ServerResponse, error: unknown, extra: OutgoingHttpHeaders = {}): void => {
  if (res.headersSent) {
    // An HTTP/1.0 client takes an orderly end for the end of the answer.
    if (req.httpVersionMinor === 0) req.socket.resetAndDestroy();
    else res.destroy();
    return;
  }
  const { status, headers, body } = toErrorResponse(toFaasError(error), req.headers.accept);
  res.writeHead(status, STATUS_CODES[status], { ...headers, ...extra });
  res.end(req.method === 'HEAD' ? undefined : body);
};

/** A whole response as bytes, for connections that have no response object; the connection ends with it. */
export const toRawResponse = (error: FaasError, accept?: string, extra: Readonly<Record<string, string>> = {}): string => {
  const { status, headers, body } = toErrorResponse(error, accept);
  const lines = Object.entries({ ...headers, ...extra, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
};

// Answers that the watchdog gives in the function's place: text for people, and a header that names us.
import type { ServerResponse } from 'node:http';
import { internalHeader } from '../provider/types/headers.ts';

/** Answers in the function's place, or cuts the connection when an answer has begun: a cut is seen, a short body is not. */
export const answer = (response: ServerResponse, status: number, text: string, headers: readonly string[] = []): void => {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
    return;
  }
  if (response.destroyed) return;
  const body = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  response.writeHead(status, [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
    internalHeader,
    'watchdog',
    ...headers,
  ]);
  response.end(body);
};

// The head of an answer whose length is known, as one text, and an answer that is there at once as one write. node:http would
// look at each field again, cork the connection, queue head and body, and take them out of the queue.
import type { ServerResponse } from 'node:http';
import type { End } from '../http/turn-ends.ts';

/** What node:http keeps of an answer's head, and nowhere public. */
type Kept = ServerResponse & { _header: string | null; readonly _keepAliveTimeout?: number };

const isDate = (name: string): boolean => name.length === 4 && name.toLowerCase() === 'date';

/**
 * Makes the head of an answer with a body of known length on an HTTP/1.1 connection that is kept, as `writeHead` would.
 * @param headers with one `Content-Length` and none of a single connection; names and values of nothing but what HTTP allows
 * @param date for answers that bring none
 */
export const setHead = (
  res: ServerResponse,
  status: number,
  reason: string,
  headers: readonly string[],
  date: () => string,
): void => {
  const kept = res as Kept;
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  let isDated = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (isDate(name)) isDated = true;
    text += `${name}: ${headers[i + 1]}\r\n`;
  }
  if (!isDated) text += `Date: ${date()}\r\n`;
  const keptMs = kept._keepAliveTimeout ?? 0;
  const hint = keptMs > 0 ? `Keep-Alive: timeout=${Math.floor(keptMs / 1000)}\r\n` : '';
  res.statusCode = status;
  res.statusMessage = reason;
  kept._header = `${text}Connection: keep-alive\r\n${hint}\r\n`;
};

/** Ends an answer of which nothing has been sent yet. @param body as long as the head says; @param end who does it, and when */
export const endWhole = (res: ServerResponse, body: Buffer, end: End): void => {
  (res as Kept)._header += body.toString('latin1');
  end(res);
};

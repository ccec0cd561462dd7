// Answers to a request to switch protocols: node:http has let go of its connection, so the head is written here.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { compose } from './answer.ts';
import { STATUS_CODES } from './node-http.ts';

/** @param headers names and values in turn */
export const headText = (status: number, message: string | undefined, headers: readonly string[]): string => {
  const lines = [`HTTP/1.1 ${status} ${message || (STATUS_CODES[status] ?? '')}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
};

/** Refuses in the function's place and ends the connection. @param reason finer than the status */
export const answerUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  status: number,
  text: string,
  headers: readonly string[] = [],
  reason?: string,
): void => {
  if (socket.destroyed || socket.writableEnded) return;
  const composed = compose(request, status, text, [...headers, 'Connection', 'close'], reason);
  socket.write(headText(status, undefined, composed.headers), 'latin1');
  socket.end(composed.body);
};

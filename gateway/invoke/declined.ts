// The answer of a function that does not switch protocols, on a connection that node:http has let go of.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { endRaw } from '../http/unread-body.ts';
import { STATUS_CODES } from '../node-http.ts';
import { responseHeaders } from './forwarded.ts';
import { trailerLines } from './request-trailers.ts';

/** @param headers names and values in turn @param more those of the platform, for which the function's own of the same name win */
export const headText = (
  status: number,
  reason: string | undefined,
  headers: readonly string[],
  more: Readonly<Record<string, string>>,
): string => {
  const own = new Set<string>();
  let head = `HTTP/1.1 ${status} ${reason || STATUS_CODES[status] || ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    own.add((headers[i] as string).toLowerCase());
    head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  }
  for (const [name, value] of Object.entries(more)) if (!own.has(name.toLowerCase())) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
};

/** Without a length it is sent in chunks: an end of the connection alone could be that of a function that died. */
const isChunked = (status: number, headers: IncomingMessage['headers']): boolean =>
  status !== 204 && status !== 304 && headers['content-length'] === undefined;

const declinedHead = (response: IncomingMessage, answer: Readonly<Record<string, string>>, chunked: boolean): string => {
  const { statusCode = 502, statusMessage, rawHeaders } = response;
  const { upgrade } = response.headers;
  const headers = responseHeaders(rawHeaders);
  if (chunked) headers.push('Transfer-Encoding', 'chunked');
  // With 426 a function says what it would switch to.
  if (upgrade !== undefined) headers.push('Upgrade', upgrade);
  headers.push('Connection', upgrade === undefined ? 'close' : 'close, Upgrade');
  return headText(statusCode, statusMessage, headers, answer);
};

const writeChunk = (socket: Socket, chunk: Buffer): boolean => {
  socket.cork();
  socket.write(`${chunk.length.toString(16)}\r\n`);
  socket.write(chunk);
  const goOn = socket.write('\r\n');
  socket.uncork();
  return goOn;
};

/**
 * Passes the answer on as it comes, and ends the connection with it; cuts it when the answer breaks off.
 * @param answer the platform's headers @param onEnd called when all of it was written
 */
export const passDeclined = (
  response: IncomingMessage,
  socket: Socket,
  answer: Readonly<Record<string, string>>,
  onEnd: () => void,
): void => {
  const chunked = isChunked(response.statusCode ?? 502, response.headers);
  socket.write(declinedHead(response, answer, chunked), 'latin1');
  response.on('data', (chunk: Buffer) => {
    if (!(chunked ? writeChunk(socket, chunk) : socket.write(chunk))) response.pause();
  });
  socket.on('drain', () => response.resume());
  response.once('end', () => {
    endRaw(socket, chunked ? `0\r\n${trailerLines(response)}\r\n` : '');
    onEnd();
  });
  response.on('error', () => socket.destroy());
};

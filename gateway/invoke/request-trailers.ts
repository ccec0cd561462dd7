// Trailers of a request, which undici does not send: the chunk that ends its body is exchanged for one with trailers.
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { hopByHop } from '../../provider/types/headers.ts';

/** Never taken from trailers: a reader that merges them into the head must not be told where, who, or how long (RFC 9110, 6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  ...hopByHop,
  'host',
  'expect',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'forwarded',
  'x-call-id',
  'x-start-time',
]);

const mayPass = (name: string): boolean => {
  const lower = name.toLowerCase();
  return !neverTrailers.has(lower) && !lower.startsWith('x-forwarded-');
};

/** The trailers of a body that has ended, as lines; empty when it has none. */
export const trailerLines = (body: Readable & { readonly rawTrailers?: readonly string[] }): string => {
  const raw = body.rawTrailers ?? [];
  let lines = '';
  for (let i = 0; i < raw.length; i += 2) {
    if (mayPass(raw[i] as string)) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  }
  return lines;
};

/** What undici writes to end a chunked body. Bodies themselves are written as bytes, never as text. */
const lastChunk = '\r\n0\r\n\r\n';

/** Call it when undici is about to end a body: if the next write is the last chunk, it takes the lines along. */
export const endWithTrailers = (socket: Socket, lines: string): void => {
  const writeOnce = (data: string | Uint8Array, encoding?: BufferEncoding): boolean => {
    delete (socket as { write?: unknown }).write;
    return socket.write(data === lastChunk ? `\r\n0\r\n${lines}\r\n` : data, encoding);
  };
  socket.write = writeOnce as Socket['write'];
};

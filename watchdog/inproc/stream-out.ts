// Sends a stream as a response body, no faster than the client reads it.
import type { ServerResponse } from 'node:http';
import { isStream } from '../web/extract.ts';

export type Source = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

type Reader = { read(): Promise<{ done?: boolean; value?: Uint8Array | string | undefined }>; stop(): void };

const readerOf = (source: Source): Reader => {
  if (isStream(source)) {
    const reader = source.getReader();
    return { read: () => reader.read(), stop: () => void reader.cancel().catch(() => undefined) };
  }
  const iterator = source[Symbol.asyncIterator]();
  return { read: () => iterator.next(), stop: () => void iterator.return?.()?.catch(() => undefined) };
};

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resolve();
    };
    response.on('drain', go);
    response.on('close', go);
  });

/**
 * Resolves when everything is sent or the client is gone, which ends the source too, even while nothing comes from it.
 * Rejects when the source fails.
 */
export const streamOut = async (response: ServerResponse, source: Source): Promise<void> => {
  const reader = readerOf(source);
  const leave = (): void => reader.stop();
  response.on('close', leave);
  for (;;) {
    const { done, value } = await reader.read();
    if (response.destroyed) return;
    if (done === true) break;
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
      reader.stop();
      throw new TypeError('response body: expected a stream of Uint8Array');
    }
    if (value.length > 0 && !response.write(value)) await drained(response);
  }
  response.off('close', leave);
  response.end();
};

// Sends a stream as a response body, no faster than the client reads it.
import type { ServerResponse } from 'node:http';

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

/** Resolves when everything is sent or the client is gone, which ends the stream too; rejects when the stream fails. */
export const streamOut = async (
  response: ServerResponse,
  stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>,
): Promise<void> => {
  for await (const chunk of stream) {
    if (response.destroyed) return;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      throw new TypeError('response body: expected a stream of Uint8Array');
    }
    if (chunk.length > 0 && !response.write(chunk)) await drained(response);
  }
  if (!response.destroyed) response.end();
};

// A small body usually comes in the same packet as its head. Then it is sent on as bytes, in one write, instead of through
// two streams; that saves a third of the work of a call.
import type { IncomingMessage } from 'node:http';

const maxSmallBytes = 64 * 1024;

/** The length of a body that may be small enough; `undefined` when it is unknown, large, or waits for `100 Continue`. */
export const smallBodyLength = (req: IncomingMessage): number | undefined => {
  const text = req.headers['content-length'];
  if (text === undefined || req.headers.expect !== undefined) return undefined;
  const length = Number(text);
  return length > 0 && length <= maxSmallBytes ? length : undefined;
};

/**
 * Calls `next` once: with the whole body if it is there by the end of this turn of the event loop, else with the request,
 * from which it can be streamed as if nothing had been read.
 */
export const whenSmallBody = (req: IncomingMessage, length: number, next: (body: Uint8Array | IncomingMessage) => void): void => {
  const chunks: Buffer[] = [];
  let received = 0;
  const late = setImmediate(() => {
    req.off('data', take);
    req.pause();
    if (received > 0) req.unshift(Buffer.concat(chunks));
    next(req);
  });
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    received += chunk.length;
    if (received < length) return;
    clearImmediate(late);
    req.off('data', take);
    next(chunks.length === 1 ? chunk : Buffer.concat(chunks));
  };
  req.on('data', take);
};

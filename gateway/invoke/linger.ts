// An answer can be complete before its request is. A client that still sends may not read before it is done, and a
// connection closed with unread bytes destroys an answer on its way: so a little more is read and thrown away.
import type { IncomingMessage, ServerResponse } from 'node:http';

const maxDiscardedBytes = 256 * 1024;
const maxDiscardMs = 1000;

/** Reads the rest of a request within limits, then closes the connection if there is still more. Call it after `res.end`. */
export const discardRest = (req: IncomingMessage, res: ServerResponse): void => {
  const { socket } = req;
  if (socket.destroyed) return;
  let left = maxDiscardedBytes;
  const give = (): void => {
    clearTimeout(timer);
    req.off('data', count);
    // Everything of the answer that can be sent is sent first.
    if (!req.complete) socket.destroySoon();
  };
  const count = (chunk: Uint8Array): void => {
    left -= chunk.length;
    if (left < 0) give();
  };
  const timer = setTimeout(give, maxDiscardMs);
  req.on('data', count);
  req.once('end', () => clearTimeout(timer));
  res.once('close', () => clearTimeout(timer));
  req.resume();
};

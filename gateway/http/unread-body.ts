// An answer may go out before its request has been read to the end: a refused upload, say. What is still coming is thrown
// away for a moment, because closing at once would take the answer away from a client that is busy sending; a client that
// goes on regardless is cut off.
import type { IncomingMessage } from 'node:http';

const patienceMs = 2_000;
const patienceBytes = 16 * 1024 * 1024;

/** Call it once the answer is on its way. */
export const drainBriefly = (req: IncomingMessage): void => {
  if (req.complete || req.destroyed) return;
  let bytes = 0;
  const cut = (): void => void req.socket.destroy();
  const timer = setTimeout(cut, patienceMs);
  timer.unref();
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > patienceBytes) cut();
  });
  req.on('close', () => clearTimeout(timer));
  req.on('end', () => clearTimeout(timer));
  req.on('error', () => clearTimeout(timer));
  req.resume();
};

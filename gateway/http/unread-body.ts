// An answer may go out before its request has been read to the end: a refused upload, say. What is still coming is thrown
// away for a moment, because closing at once would take the answer away from a client that is busy sending; a client that
// goes on regardless is cut off.
import type { IncomingMessage } from 'node:http';

const patienceMs = 2_000;
const patienceBytes = 64 * 1024 * 1024;
const checkEveryMs = 50;

/** Call it once the answer is on its way. */
export const drainBriefly = (req: IncomingMessage): void => {
  if (req.complete || req.destroyed) return;
  const { socket } = req;
  const limitBytes = socket.bytesRead + patienceBytes;
  const limitMs = performance.now() + patienceMs;
  // Why a timer: node throws the rest of an answered request away before any listener sees it.
  const timer = setInterval(() => {
    if (req.complete || socket.destroyed) clearInterval(timer);
    else if (socket.bytesRead > limitBytes || performance.now() > limitMs) socket.destroy();
  }, checkEveryMs);
  timer.unref();
  req.on('error', () => undefined);
  req.resume();
};

// An answer may go out before its request has been read to the end: a refused upload, say. What is still coming is thrown
// away for a moment, because closing at once would take the answer away from a client that is busy sending; a client that
// goes on regardless is cut off.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { hasBody } from './framing.ts';

const patienceMs = 2_000;
const patienceBytes = 64 * 1024 * 1024;
const checkEveryMs = 50;

/** Call it once the answer is on its way. */
export const drainBriefly = (req: IncomingMessage): void => {
  if (req.complete || req.destroyed || !hasBody(req)) return;
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

/** Sends the last bytes on a connection; what still comes is thrown away, and so is a client that does not close then. */
export const endRaw = (socket: Duplex, text: string): void => {
  socket.end(text, () => {
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  });
  socket.resume();
};

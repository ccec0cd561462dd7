// A server may answer before it has read the whole request, and close: 401 and 413 are often given so. Our next write then
// fails, and a failed write destroys a socket with the answer unread in it. Here such a failure only ends the writing. The
// gateway needs it before functions, and the watchdog before the servers of some.
import type { Socket } from 'node:net';

/** How long the answer may take to be read after the other side stopped reading. */
const patienceMs = 1000;

const peerStoppedReading = (error: NodeJS.ErrnoException): boolean => error.code === 'EPIPE' || error.code === 'ECONNRESET';

/**
 * From now on the socket goes on reading when the other side does not take what is written.
 * @param onBroken told of the first such write
 */
export const readAfterBrokenWrite = (socket: Socket, onBroken: (error: NodeJS.ErrnoException) => void): void => {
  const { _write: write, _writev: writev } = socket;
  if (writev === undefined || writev === null) return;
  let broken = false;
  // A stream has one write under way at a time, so one of these is enough for all of them.
  let under: (error?: Error | null) => void = () => {};

  const settled = (error?: Error | null): void => {
    const done = under;
    if (error === undefined || error === null || !peerStoppedReading(error)) {
      done(error);
      return;
    }
    if (!broken) {
      broken = true;
      onBroken(error);
      const timer = setTimeout(() => socket.destroy(error), patienceMs);
      socket.once('close', () => clearTimeout(timer));
    }
    done();
  };

  socket._write = (chunk, encoding, done) => {
    if (broken) {
      done();
      return;
    }
    under = done;
    write.call(socket, chunk, encoding, settled);
  };
  socket._writev = (chunks, done) => {
    if (broken) {
      done();
      return;
    }
    under = done;
    writev.call(socket, chunks, settled);
  };
};

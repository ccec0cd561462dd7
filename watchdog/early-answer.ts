// A server may answer before it has read the whole request, and close: 401 and 413 are often given so. Our next write then
// fails, and a failed write destroys a socket with the answer unread in it. Here such a failure only ends the writing. The
// gateway does the same on its side.
import type { Socket } from 'node:net';

/** How long the answer may take to be read after the server has stopped reading. */
const patienceMs = 1000;

type Written = (error?: Error | null) => void;

const hasStoppedReading = (error: NodeJS.ErrnoException): boolean => error.code === 'EPIPE' || error.code === 'ECONNRESET';

/**
 * From now on the socket goes on reading when the other side does not take what is written.
 * @param onBroken told of the first such write
 */
export const readAfterBrokenWrite = (socket: Socket, onBroken: (error: NodeJS.ErrnoException) => void): void => {
  const { _write: write, _writev: writev } = socket;
  if (writev === undefined || writev === null) return;
  let isBroken = false;
  const bear =
    (done: Written): Written =>
    (error) => {
      if (error === undefined || error === null || !hasStoppedReading(error)) {
        done(error);
        return;
      }
      isBroken = true;
      onBroken(error);
      const timer = setTimeout(() => socket.destroy(error), patienceMs);
      socket.once('close', () => clearTimeout(timer));
      done();
    };
  socket._write = (chunk, encoding, done) => {
    if (isBroken) done();
    else write.call(socket, chunk, encoding, bear(done));
  };
  socket._writev = (chunks, done) => {
    if (isBroken) done();
    else writev.call(socket, chunks, bear(done));
  };
};

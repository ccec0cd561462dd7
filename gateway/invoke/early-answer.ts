// A server may answer before it has read the whole request, and close: 401 and 413 are often given so. Our next write then
// fails, and a failed write destroys a socket with the answer unread in it. Here such a failure only ends the writing.
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

  const settled =
    (done: (error?: Error | null) => void) =>
    (error?: Error | null): void => {
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
    if (broken) done();
    else write.call(socket, chunk, encoding, settled(done));
  };
  socket._writev = (chunks, done) => {
    if (broken) done();
    else writev.call(socket, chunks, settled(done));
  };
};

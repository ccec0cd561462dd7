// Sends a call's body on to the function's server as it comes.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { trailersOf } from './forwarded.ts';

/**
 * Why not `pipe`: where the body ends while its last bytes are being written, one more write without content follows. A
 * server that has answered and closed by then breaks that write, and its answer would be lost with it.
 */
export const sendBody = (from: IncomingMessage, to: ClientRequest): void => {
  const isChunked = from.headers['transfer-encoding'] !== undefined;
  let unwritten = 0;
  let ended = false;
  const end = (): void => {
    if (ended && (isChunked || unwritten === 0) && !to.destroyed) to.end();
  };
  const onWritten = (): void => {
    unwritten -= 1;
    end();
  };
  to.on('drain', () => from.resume());
  from.on('data', (chunk: Buffer) => {
    unwritten += 1;
    if (!to.write(chunk, onWritten)) from.pause();
  });
  from.on('end', () => {
    ended = true;
    if (from.rawTrailers.length > 0) to.addTrailers(trailersOf(from));
    end();
  });
};

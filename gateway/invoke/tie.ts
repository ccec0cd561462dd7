// Two connections that have left HTTP for another protocol, tied together: bytes both ways, no faster than they are taken.
import type { Socket } from 'node:net';

/** How long one side may go on after the other has ended. */
const lastWordsMs = 1000;

/** How long a side may leave untaken what the other has sent before its end. */
const untakenMs = 60_000;

/** Both are open, with a listener for the errors of `caller`; in the end both are closed. */
export const tie = (caller: Socket, peer: Socket): void => {
  let timer: NodeJS.Timeout | undefined;
  let endedMs = 0;
  const look = (): void => {
    const isUntaken = caller.writableLength + peer.writableLength > 0;
    if (isUntaken && performance.now() - endedMs < untakenMs) {
      timer = setTimeout(look, lastWordsMs);
      return;
    }
    caller.destroy();
    peer.destroy();
  };
  // Nobody keeps half a WebSocket: who has heard the other's end gets a moment to say its own.
  const endSoon = (): void => {
    if (caller.destroyed && peer.destroyed) clearTimeout(timer);
    else if (timer === undefined) {
      endedMs = performance.now();
      timer = setTimeout(look, lastWordsMs);
    }
  };
  caller.once('end', endSoon);
  caller.once('close', () => {
    if (caller.readableEnded) peer.destroySoon();
    else peer.destroy();
    endSoon();
  });
  peer.on('error', () => peer.destroy());
  peer.once('end', endSoon);
  peer.once('close', () => {
    caller.destroySoon();
    endSoon();
  });
  caller.pipe(peer);
  peer.pipe(caller);
};

// The connections that have left HTTP for another protocol, such as WebSocket, each from its request to its close.
import type { Duplex } from 'node:stream';

/** How long one side of a connection may go on after the other has ended. */
const lastWordsMs = 1000;

/** How long a caller may leave untaken what was sent before the end. */
const untakenMs = 60_000;

/** Nobody keeps half a WebSocket, and a connection that nobody reads does not notice its end: it would stay for ever. */
export const endAsWhole = (socket: Duplex): void => {
  // Without a listener a client that breaks off would end the process.
  socket.on('error', () => socket.destroy());
  let timer: NodeJS.Timeout | undefined;
  let endedMs = 0;
  const look = (): void => {
    if (socket.writableLength === 0 || performance.now() - endedMs >= untakenMs) socket.destroy();
    else timer = setTimeout(look, lastWordsMs);
  };
  const endSoon = (): void => {
    if (timer !== undefined) return;
    endedMs = performance.now();
    timer = setTimeout(look, lastWordsMs);
  };
  socket.once('end', endSoon);
  socket.once('finish', () => {
    endSoon();
    socket.resume();
  });
  socket.once('close', () => clearTimeout(timer));
};

export class OpenSockets {
  readonly #sockets = new Set<Duplex>();
  readonly #onClose: () => void;

  /** @param onClose called after each that has closed */
  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#onClose();
    });
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

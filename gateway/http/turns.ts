// Requests that come on one connection without waiting for answers are served one after another, in order: a function must
// not see the second before the first is answered. What cannot be read waits for its turn, too, to be refused.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The response under way on a connection, which node:http keeps there and nowhere public. */
export const responseOn = (socket: Duplex): ServerResponse | undefined =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;

/** Calls `run` when every request of the connection that has been read is answered; never when the connection closes before. */
export const afterAnswers = (socket: Duplex, run: () => void): void => {
  const response = responseOn(socket);
  if (response !== undefined) response.once('close', () => afterAnswers(socket, run));
  else if (socket.writable) run();
};

export interface Turns {
  /** Serves a request that is not the first on its connection when those before it are answered. */
  wait(req: IncomingMessage, res: ServerResponse, serve: (req: IncomingMessage, res: ServerResponse) => void): void;
  /** Nothing that comes on this connection from now on is a request. False when that was known. */
  break(socket: Duplex): boolean;
}

/** More are not read ahead: a client that asks on and on without an answer would fill the memory. */
const maxWaiting = 32;

export const createTurns = (): Turns => {
  const waiting = new WeakMap<Duplex, number>();
  const broken = new WeakSet<Duplex>();

  const add = (socket: Duplex): void => {
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count === maxWaiting) socket.pause();
  };

  const remove = (socket: Duplex): void => {
    const count = (waiting.get(socket) ?? 1) - 1;
    waiting.set(socket, count);
    if (count === maxWaiting - 1) socket.resume();
  };

  return {
    wait(req, res, serve) {
      const { socket } = req;
      add(socket);
      const look = (): void => {
        const before = responseOn(socket);
        if (before !== undefined && before !== res) {
          before.once('close', look);
          return;
        }
        remove(socket);
        const whole = req.complete || !broken.has(socket);
        if (whole && socket.writable) serve(req, res);
      };
      look();
    },
    break(socket) {
      if (broken.has(socket)) return false;
      broken.add(socket);
      return true;
    },
  };
};

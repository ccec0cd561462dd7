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

type Waiting = {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly serve: (req: IncomingMessage, res: ServerResponse) => void;
};

export const createTurns = (): Turns => {
  const queues = new WeakMap<Duplex, Waiting[]>();
  const broken = new WeakSet<Duplex>();

  const serveNext = (socket: Duplex, queue: Waiting[]): void => {
    const [next] = queue;
    // After an answer that says it is the last, nothing is a request.
    if (next === undefined || !socket.writable) return;
    const before = responseOn(socket);
    if (before !== undefined && before !== next.res) {
      before.once('close', () => serveNext(socket, queue));
      return;
    }
    queue.shift();
    if (queue.length === maxWaiting - 1) socket.resume();
    if (queue.length > 0) next.res.once('close', () => serveNext(socket, queue));
    if (next.req.complete || !broken.has(socket)) next.serve(next.req, next.res);
  };

  return {
    wait(req, res, serve) {
      const { socket } = req;
      const queue = queues.get(socket) ?? [];
      queues.set(socket, queue);
      queue.push({ req, res, serve });
      if (queue.length === 1) serveNext(socket, queue);
      else if (queue.length === maxWaiting) socket.pause();
    },
    break(socket) {
      if (broken.has(socket)) return false;
      broken.add(socket);
      return true;
    },
  };
};

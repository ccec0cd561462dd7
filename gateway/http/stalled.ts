// Clients that do not take the rest of an answer that is complete: their call has ended, so no limit of a function holds for
// them, and their connection would stay for ever.
import type { Socket } from 'node:net';
import { responseOn } from './turns.ts';

type Position = { readonly left: number; readonly sinceMs: number };

export type StallParts = {
  readonly sockets: ReadonlySet<Socket>;
  /** How long a client may take nothing. */
  readonly limitMs: number;
  /** How often it is looked at. */
  readonly checkMs: number;
};

/** Upgraded connections have no response, and limits of their own until they are ended. */
const isAnswered = (socket: Socket): boolean => responseOn(socket)?.writableEnded ?? socket.writableEnded;

/** Cuts connections with an answer that nobody takes; returns what ends it. */
export const watchStalls = ({ sockets, limitMs, checkMs }: StallParts): (() => void) => {
  const positions = new WeakMap<Socket, Position>();

  const look = (): void => {
    const nowMs = performance.now();
    for (const socket of sockets) {
      const left = socket.writableLength;
      const before = positions.get(socket);
      if (left === 0 || !isAnswered(socket)) {
        if (before !== undefined) positions.delete(socket);
      } else if (before?.left !== left) positions.set(socket, { left, sinceMs: nowMs });
      else if (nowMs - before.sinceMs >= limitMs) socket.destroy();
    }
  };

  const timer = setInterval(look, checkMs);
  timer.unref();
  return () => clearInterval(timer);
};

// Processes that were asked for, from the request until their end: each needs its id and all of its streams before it counts
// as started, and these come by different ways in any order.
import type { Socket } from 'node:net';
import { FaasError } from '../../types/errors.ts';
import { type SpawnReply, streamCount } from './messages.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Spawned = {
  /** Also the id of its process group. */
  readonly pid: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly control: Socket;
  readonly exited: Promise<Exit>;
};

type Pending = {
  readonly streams: (Socket | undefined)[];
  pid: number | undefined;
  ended: boolean;
  resolve(spawned: Spawned): void;
  reject(error: Error): void;
  end(exit: Exit): void;
  readonly exited: Promise<Exit>;
};

export interface Requests {
  /** Processes that have not ended, as far as is known. */
  readonly size: number;
  /** @throws unavailable when `fail` is called for it */
  open(id: string): Promise<Spawned>;
  fail(id: string, message: string): void;
  /** What the spawner process says. */
  reply(reply: SpawnReply): void;
  /** A stream has come. False when nobody waits for it. */
  take(id: string, stream: number, socket: Socket): boolean;
  /** There will be no more replies. */
  abandon(): void;
  closeStreams(): void;
}

const createPending = (): { pending: Pending; spawned: Promise<Spawned> } => {
  const spawned = Promise.withResolvers<Spawned>();
  const exited = Promise.withResolvers<Exit>();
  const streams: Pending['streams'] = Array.from({ length: streamCount }, () => undefined);
  const { resolve, reject } = spawned;
  return {
    pending: { streams, pid: undefined, ended: false, resolve, reject, end: exited.resolve, exited: exited.promise },
    spawned: spawned.promise,
  };
};

export const createRequests = (): Requests => {
  const requests = new Map<string, Pending>();

  const settle = (id: string, pending: Pending): void => {
    const [stdout, stderr, control] = pending.streams;
    if (pending.pid === undefined || stdout === undefined || stderr === undefined || control === undefined) return;
    pending.resolve({ pid: pending.pid, stdout, stderr, control, exited: pending.exited });
    if (pending.ended) requests.delete(id);
  };

  const fail = (id: string, message: string): void => {
    const pending = requests.get(id);
    if (pending === undefined) return;
    requests.delete(id);
    for (const stream of pending.streams) stream?.destroy();
    pending.reject(new FaasError('unavailable', `a process could not be started: ${message}`));
  };

  /** Without the spawner nobody tells how a process ended; that it did shows by its control pipe. */
  const abandon = (id: string, pending: Pending): void => {
    if (pending.pid === undefined) {
      fail(id, 'the spawner ended');
      return;
    }
    const control = pending.streams[2];
    const end = (): void => {
      requests.delete(id);
      pending.end({ code: null, signal: null });
    };
    if (control === undefined || control.destroyed) end();
    else control.once('close', end);
  };

  return {
    get size() {
      return requests.size;
    },
    open(id) {
      const { pending, spawned } = createPending();
      requests.set(id, pending);
      return spawned;
    },
    fail,
    reply(reply) {
      const pending = requests.get(reply.id);
      if (pending === undefined) return;
      switch (reply.kind) {
        case 'failed':
          fail(reply.id, reply.message);
          break;
        case 'started':
          pending.pid = reply.pid;
          settle(reply.id, pending);
          break;
        case 'ended':
          pending.ended = true;
          pending.end({ code: reply.code, signal: reply.signal });
          // One that ends at once may be gone before its streams have come.
          settle(reply.id, pending);
          break;
      }
    },
    take(id, stream, socket) {
      const pending = requests.get(id);
      if (pending === undefined || stream < 0 || stream >= streamCount) return false;
      pending.streams[stream] = socket;
      settle(id, pending);
      return true;
    },
    abandon() {
      for (const [id, pending] of [...requests]) abandon(id, pending);
    },
    closeStreams() {
      for (const { streams } of requests.values()) for (const stream of streams) stream?.destroy();
    },
  };
};

// The gateway's side of the spawner process: asks it for processes and takes their streams.
import { type ChildProcess, fork } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaasError } from '../../types/errors.ts';
import type { Log } from '../log.ts';
import { type SpawnReply, type SpawnRequest, streamCount } from './messages.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Spawned = {
  /** Also the id of its process group. */
  readonly pid: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly control: Socket;
  readonly exited: Promise<Exit>;
};

export interface Spawner {
  /** The request leaves within this call. @throws unavailable when the system starts no process */
  start(request: SpawnRequest): Promise<Spawned>;
  /** Ends the spawner and its streams; processes that it started go on, unless they mind. */
  close(): Promise<void>;
}

export type SpawnerOptions = {
  readonly nodePath: string;
  readonly runDir: string;
  /** Environment of the spawner itself. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Called with the process id of every spawner that is started. */
  readonly onHelper?: (pid: number) => void;
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

const longestHeader = 80;
const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Reads the first line of a stream and hands the stream over with what came after it. */
const readHeader = (socket: Socket, take: (id: string, stream: number) => void): void => {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const newline = head.indexOf(0x0a);
    if (newline === -1 && head.length < longestHeader) return;
    socket.pause();
    socket.off('data', onData);
    const [id = '', stream = ''] = head.subarray(0, newline).toString('latin1').split(':');
    if (head.length > newline + 1) socket.unshift(head.subarray(newline + 1));
    take(id, Number(stream));
  };
  socket.on('data', onData);
  socket.on('error', () => socket.destroy());
};

const listen = async (path: string, onConnection: (socket: Socket) => void): Promise<Server> => {
  const server = createServer(onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
};

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

/** @throws when the socket or the process cannot be made */
export const createSpawner = async (options: SpawnerOptions): Promise<Spawner> => {
  const { nodePath, runDir, log } = options;
  const requests = new Map<string, Pending>();
  const path = join(runDir, 'spawner');
  let helper: ChildProcess | undefined;
  let closed = false;

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

  const onReply = (reply: SpawnReply): void => {
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
  };

  const strangers = new Set<Socket>();
  const server = await listen(path, (socket) => {
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
    readHeader(socket, (id, stream) => {
      const pending = requests.get(id);
      if (pending === undefined || stream < 0 || stream >= streamCount) {
        socket.destroy();
        return;
      }
      strangers.delete(socket);
      pending.streams[stream] = socket;
      settle(id, pending);
    });
  });

  /** Without the spawner nobody tells how a process ended; that it did shows by its control pipe. */
  const onHelperEnd = (): void => {
    helper = undefined;
    if (!closed) log.error({ processes: requests.size }, 'the process that starts functions ended; another takes its place');
    for (const [id, pending] of [...requests]) {
      if (pending.pid === undefined) {
        fail(id, 'the spawner ended');
        continue;
      }
      const control = pending.streams[2];
      const end = (): void => {
        requests.delete(id);
        pending.end({ code: null, signal: null });
      };
      if (control === undefined || control.destroyed) end();
      else control.once('close', end);
    }
  };

  const ensureHelper = (): ChildProcess => {
    if (helper !== undefined) return helper;
    const child = fork(fileURLToPath(new URL(`./main.${suffix}`, import.meta.url)), [path], {
      execPath: nodePath,
      execArgv: ['--max-semi-space-size=1'],
      env: { ...options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    });
    child.on('message', (message) => onReply(message as SpawnReply));
    child.once('exit', onHelperEnd);
    child.on('error', (error) => log.error({ err: error }, 'the process that starts functions failed'));
    helper = child;
    if (child.pid !== undefined) options.onHelper?.(child.pid);
    return child;
  };
  ensureHelper();

  return {
    start: (request) => {
      if (closed) return Promise.reject(new FaasError('unavailable', 'the gateway is shutting down'));
      const { pending, spawned } = createPending();
      requests.set(request.id, pending);
      ensureHelper().send(request, (error) => {
        if (error !== null) fail(request.id, error.message);
      });
      return spawned;
    },
    close: async () => {
      closed = true;
      const ending = helper;
      if (ending !== undefined) {
        const exited = new Promise((resolve) => ending.once('exit', resolve));
        if (ending.connected) ending.disconnect();
        else ending.kill('SIGKILL');
        await exited;
      }
      // The server would wait for every connection: a process that nobody ended must not keep the gateway from its own end.
      for (const { streams } of requests.values()) for (const stream of streams) stream?.destroy();
      for (const socket of strangers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

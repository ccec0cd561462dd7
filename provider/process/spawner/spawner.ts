// The gateway's side of the spawner process: asks it for processes and takes their streams.
import { type ChildProcess, fork } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaasError } from '../../types/errors.ts';
import type { Log } from '../log.ts';
import type { SpawnReply, SpawnRequest } from './messages.ts';
import { createRequests, type Spawned } from './requests.ts';

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

/** @throws when the socket or the process cannot be made */
export const createSpawner = async (options: SpawnerOptions): Promise<Spawner> => {
  const { nodePath, runDir, log } = options;
  const requests = createRequests();
  const path = join(runDir, 'spawner');
  let helper: ChildProcess | undefined;
  let closed = false;

  const strangers = new Set<Socket>();
  const server = await listen(path, (socket) => {
    strangers.add(socket);
    socket.once('close', () => strangers.delete(socket));
    readHeader(socket, (id, stream) => {
      if (requests.take(id, stream, socket)) strangers.delete(socket);
      else socket.destroy();
    });
  });

  const onHelperEnd = (): void => {
    helper = undefined;
    if (!closed) log.error({ processes: requests.size }, 'the process that starts functions ended; another takes its place');
    requests.abandon();
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
    child.on('message', (message) => requests.reply(message as SpawnReply));
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
      const spawned = requests.open(request.id);
      ensureHelper().send(request, (error) => {
        if (error !== null) requests.fail(request.id, error.message);
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
      requests.closeStreams();
      for (const socket of strangers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

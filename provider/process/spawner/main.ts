// Starts processes for the gateway. A fork takes as long as its parent has memory, and stops it for that time: here it
// stops nobody. The new process's streams are connections to the gateway, which notices at once when they close, and the
// other way round.
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { SpawnReply, SpawnRequest } from './messages.ts';
import { streamCount, streamHeader } from './messages.ts';

const socketPath = process.argv[2] ?? '';

/** Said to nobody once the gateway is gone, which is no failure: this process ends then. */
const reply = (message: SpawnReply): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

const openStream = (id: string, stream: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    // After the first it is too late to tell anybody.
    socket.on('error', reject);
    socket.write(streamHeader(id, stream), () => {
      socket.pause();
      resolve(socket);
    });
  });

const start = async (request: SpawnRequest): Promise<void> => {
  const { id, file, args, env, cwd, uid, gid } = request;
  const opened = await Promise.allSettled(Array.from({ length: streamCount }, (_, stream) => openStream(id, stream)));
  const streams = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = opened.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    for (const stream of streams) stream.destroy();
    throw failed.reason;
  }
  let child: ChildProcess;
  try {
    child = spawn(file, args, { cwd, env, stdio: ['ignore', ...streams], detached: true, uid, gid });
  } finally {
    // Closed here only: the process has its own hold on them.
    for (const stream of streams) stream.destroy();
  }
  child.once('error', (error) => reply({ id, kind: 'failed', message: error.message }));
  if (child.pid === undefined) return;
  child.once('exit', (code, signal) => reply({ id, kind: 'ended', code, signal }));
  reply({ id, kind: 'started', pid: child.pid });
};

process.on('message', (request: SpawnRequest) => {
  start(request).catch((error: Error) => reply({ id: request.id, kind: 'failed', message: error.message }));
});
process.on('disconnect', () => process.exit(0));
// A signal to the gateway's whole group, such as ^C, is the gateway's to answer.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

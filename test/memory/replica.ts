// One replica of the memory provider: an HTTP server of its own that runs the function.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Address } from '../../provider/provider.ts';

export type RunningReplica = {
  readonly address: Address;
  /** Cuts every connection. */
  kill(): void;
  /** Resolves when it accepts nothing and has no connection left. */
  close(): Promise<void>;
};

/** On the unix socket `path`, or on a free port of 127.0.0.1 without one. */
export const startReplica = async (listener: RequestListener, path: string | undefined): Promise<RunningReplica> => {
  const server = createServer({ keepAliveTimeout: 0 }, listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const kill = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: path === undefined ? { host: '127.0.0.1', port: (server.address() as AddressInfo).port } : { socketPath: path },
    kill,
    async close() {
      if (!server.listening && sockets.size === 0) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

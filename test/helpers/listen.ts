// Real servers on free ports and sockets, closed after the test.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { type Cleanup, onEnd } from './cleanup.ts';

const closing = async (server: TcpServer, sockets: ReadonlySet<Socket>): Promise<void> => {
  for (const socket of sockets) socket.destroy();
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
};

const track = (server: TcpServer): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
};

const portOf = (server: TcpServer): number => (server.address() as AddressInfo).port;

/** Listens on a free port of 127.0.0.1, or on the unix socket `path`. */
export const listen = async (
  t: Cleanup,
  listener: RequestListener,
  path?: string,
): Promise<{ server: Server; port: number; url: string }> => {
  const server = createServer(listener);
  const sockets = track(server);
  onEnd(t, () => closing(server, sockets));
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const port = path === undefined ? portOf(server) : 0;
  return { server, port, url: path === undefined ? `http://127.0.0.1:${port}` : `unix:${path}` };
};

/** A raw TCP server, for peers that do not speak proper HTTP. */
export const listenTcp = async (t: Cleanup, onSocket: (socket: Socket) => void): Promise<{ server: TcpServer; port: number }> => {
  const server = createTcpServer(onSocket);
  const sockets = track(server);
  onEnd(t, () => closing(server, sockets));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: portOf(server) };
};

// Below what the system gives to anybody who asks for any port, so that nobody comes by it between its choice and its use;
// every process begins somewhere else, since test files run side by side.
const firstPort = 20_000;
const portCount = 10_000;
let nextPort = (process.pid * 16) % portCount;

const isFree = async (port: number): Promise<boolean> => {
  const server = createTcpServer();
  const taken = Promise.withResolvers<boolean>();
  server.once('error', () => taken.resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => taken.resolve(true)));
  return taken.promise;
};

/** A port that nobody listens on; for programs that cannot be told to take any. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < portCount; tries += 1) {
    const port = firstPort + nextPort;
    nextPort = (nextPort + 1) % portCount;
    if (await isFree(port)) return port;
  }
  throw new Error(`every port from ${firstPort} to ${firstPort + portCount - 1} is in use`);
};

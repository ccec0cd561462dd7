// Connections to a port of a pod through the API server: what comes in at a local port goes over a WebSocket each. Neither
// side is read faster than the other takes it.
import { createServer, type Socket } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import { type KubeObject, keyOf } from './objects.ts';
import type { Log } from './options.ts';

export type Tunnel = {
  /** On 127.0.0.1. */
  readonly port: Promise<number>;
  /** Takes no new connections; those that are there go on. */
  close(): void;
};

export type TunnelParts = {
  readonly config: KubeConfig;
  readonly pod: KubeObject;
  readonly targetPort: number;
  readonly log: Log;
};

/** What is used of the client's WebSocket, an object of the package ws. */
type Wire = {
  readonly bufferedAmount: number;
  send(data: Buffer, sent: (error?: Error) => void): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
  on(event: 'close' | 'error', listener: () => void): void;
};

/** The channels of a forwarded port; each begins with two bytes that name the port. */
const dataChannel = 0;
const errorChannel = 1;
const portBytes = 2;

/** Bytes under way to the API server before the caller is read no further. */
const mostUnsent = 256 * 1024;

/** Cuts the name of the port off the beginning of a channel. */
const createHeadCutter = () => {
  let left = portBytes;
  return (bytes: Buffer): Buffer => {
    const cut = Math.min(left, bytes.length);
    left -= cut;
    return bytes.subarray(cut);
  };
};

const sendAll = (socket: Socket, wire: Wire): void => {
  const channel = Buffer.from([dataChannel]);
  socket.on('data', (chunk: Buffer) => {
    const isMuch = wire.bufferedAmount + chunk.length > mostUnsent;
    if (isMuch) socket.pause();
    wire.send(Buffer.concat([channel, chunk]), (error) => {
      if (error !== undefined && error !== null) socket.destroy();
      else if (isMuch) socket.resume();
    });
  });
};

const connect = async (socket: Socket, { config, pod, targetPort, log }: TunnelParts): Promise<void> => {
  // Why not PortForward of the same package: it writes to either side as fast as the other one reads.
  const { WebSocketHandler } = await import('@kubernetes/client-node/dist/web-socket-handler.js');
  const { name, namespace = '' } = pod.metadata;
  const cutters = [createHeadCutter(), createHeadCutter()];
  let wire: Wire | undefined;
  const receive = (channel: number, bytes: Buffer): boolean => {
    const content = cutters[channel]?.(bytes) ?? bytes;
    if (content.length === 0) return true;
    if (channel === errorChannel) {
      log.debug({ pod: keyOf(pod), err: content.toString() }, 'a tunnel to a pod was refused');
      socket.destroy();
    } else if (channel === dataChannel && !socket.write(content)) wire?.pause();
    return true;
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/portforward?ports=${targetPort}`;
  wire = (await new WebSocketHandler(config).connect(path, null, receive)) as unknown as Wire;
  const open = wire;
  open.on('close', () => socket.destroySoon());
  open.on('error', () => socket.destroy());
  socket.on('drain', () => open.resume());
  // Who pauses is not told of the end: a paused WebSocket would stay open with what it holds.
  socket.on('close', () => open.terminate());
  if (socket.destroyed) {
    open.terminate();
    return;
  }
  socket.on('end', () => open.close());
  sendAll(socket, open);
  socket.resume();
};

export const openTunnel = (parts: TunnelParts): Tunnel => {
  const { pod, log } = parts;
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    connect(socket, parts).catch((error) => {
      log.debug({ pod: keyOf(pod), err: error }, 'a tunnel to a pod could not be opened');
      socket.destroy();
    });
  });
  const port = new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return { port, close: () => void server.close() };
};

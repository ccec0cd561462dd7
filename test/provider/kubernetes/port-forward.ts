// The port-forward end of an API server, as a WebSocket server without a library: RFC 6455 as far as binary frames need it,
// and Kubernetes' channels inside them.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';

/** One forwarded connection, seen from the API server. */
export type Forwarded = {
  readonly path: string;
  /** Raw: pausing it is how this server stops reading. */
  readonly socket: Socket;
  /** What the caller has sent, without frames and channel. */
  readonly received: Readable;
  /** A frame of that channel; false when the socket wants no more for now. */
  send(channel: number, bytes: Buffer): boolean;
};

const binary = 0x82;

const frameOf = (channel: number, bytes: Buffer): Buffer => {
  const head = Buffer.alloc(11);
  head[0] = binary;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(bytes.length + 1), 2);
  head[10] = channel;
  return Buffer.concat([head, bytes]);
};

/** Frames of a client are masked; sizes come in three ways of writing. */
async function* readFrames(socket: Socket): AsyncGenerator<Buffer, void, undefined> {
  let left: Buffer = Buffer.alloc(0);
  for await (const piece of socket) {
    left = Buffer.concat([left, piece as Buffer]);
    while (left.length >= 6) {
      const short = (left[1] as number) & 0x7f;
      const at = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (left.length < at) break;
      const length = short === 127 ? Number(left.readBigUInt64BE(2)) : short === 126 ? left.readUInt16BE(2) : short;
      if (left.length < at + 4 + length) break;
      const mask = left.subarray(at, at + 4);
      const isData = left[0] === binary;
      const bytes = left.subarray(at + 4, at + 4 + length).map((byte, index) => byte ^ (mask[index & 3] as number));
      left = left.subarray(at + 4 + length);
      if (!isData) return;
      yield Buffer.from(bytes.subarray(1));
    }
  }
}

/** Calls `forward` for every connection; resolves to the server's URL. */
export const startPortForward = async (t: Cleanup, forward: (connection: Forwarded) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createServer((_req, res) => res.writeHead(400).end());
  server.on('upgrade', (req, stream, _head) => {
    const socket = stream as Socket;
    sockets.add(socket);
    socket.on('error', () => undefined);
    const accept = createHash('sha1').update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
      'Sec-WebSocket-Protocol: v4.channel.k8s.io',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const received = Readable.from(readFrames(socket), { highWaterMark: 1 });
    received.on('error', () => undefined);
    forward({
      path: req.url ?? '',
      socket,
      received,
      send: (channel, bytes) => socket.write(frameOf(channel, bytes)),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

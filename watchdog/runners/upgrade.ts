// Upgraded connections (WebSocket): after the handshake, bytes both ways.
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatDuration, longestTimerMs } from '../../provider/types/duration.ts';
import { answerUpgrade, headText } from '../answer-upgrade.ts';
import { endToEnd, requestHeaders } from '../forwarded.ts';
import { request as send } from '../node-http.ts';
import type { Upstream } from '../upstream.ts';

const join = (socket: Socket, other: Socket): void => {
  socket.on('close', () => {
    if (socket.readableEnded) other.destroySoon();
    else other.destroy();
  });
  other.on('error', () => other.destroy());
  // What it has sent before is still on its way.
  other.on('close', () => socket.destroySoon());
  socket.pipe(other);
  other.pipe(socket);
};

/** Half-open, because who has heard the end of the caller may have last words. */
const connectTo = (address: Upstream['address']): Socket =>
  connect({ ...('socketPath' in address ? { path: address.socketPath } : address), allowHalfOpen: true, noDelay: true });

const writeChunk = (socket: Socket, chunk: Buffer): boolean => {
  socket.cork();
  socket.write(`${chunk.length.toString(16)}\r\n`);
  socket.write(chunk);
  const goOn = socket.write('\r\n');
  socket.uncork();
  return goOn;
};

/** Passes on the answer of a server that does not switch protocols, and cuts it when it breaks off. */
const passDeclined = (request: IncomingMessage, from: IncomingMessage, socket: Socket): void => {
  const { statusCode: status = 500, statusMessage, headers: fields } = from;
  const hasNoBody = status === 204 || status === 304;
  // Without a length, the end of the connection could be that of a server that died.
  const chunked = !hasNoBody && fields['content-length'] === undefined && request.httpVersionMinor > 0;
  const headers = endToEnd(from);
  if (chunked) headers.push('Transfer-Encoding', 'chunked');
  if (fields.upgrade !== undefined) headers.push('Upgrade', fields.upgrade);
  headers.push('Connection', fields.upgrade === undefined ? 'close' : 'close, Upgrade');
  socket.write(headText(status, statusMessage, headers), 'latin1');
  from.on('data', (chunk: Buffer) => {
    if (!(chunked ? writeChunk(socket, chunk) : socket.write(chunk))) from.pause();
  });
  socket.on('drain', () => from.resume());
  from.on('end', () => socket.end(chunked ? '0\r\n\r\n' : ''));
  from.on('error', () => socket.destroy());
};

/** @param execTimeoutMs longest wait for the handshake, or for the end of another answer; 0 for any */
export const createUpgrade =
  (upstream: Upstream, execTimeoutMs: number) =>
  (request: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const socket = duplex as Socket;
    const headers = [...requestHeaders(request), 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''];
    const path = upstream.prefix + (request.url as string);
    const createConnection = (): Socket => connectTo(upstream.address);
    const sent = send({ createConnection, method: request.method as string, path, headers, setHost: false });
    let state: 'waiting' | 'declined' | 'switched' = 'waiting';
    const expire = (): void => {
      const text = `watchdog: no handshake within exec_timeout of ${formatDuration(execTimeoutMs)}`;
      if (state === 'waiting') answerUpgrade(request, socket, 504, text, [], 'ExecTimeout');
      else socket.destroy();
      sent.destroy();
    };
    const timer = execTimeoutMs === 0 ? undefined : setTimeout(expire, Math.min(longestTimerMs, execTimeoutMs));
    socket.on('end', () => {
      if (state !== 'switched') socket.destroy();
    });
    socket.on('close', () => {
      clearTimeout(timer);
      if (state !== 'switched') sent.destroy();
    });
    sent.on('upgrade', (from, other, first) => {
      clearTimeout(timer);
      state = 'switched';
      const upgraded = [...endToEnd(from), 'Connection', 'Upgrade', 'Upgrade', from.headers.upgrade ?? ''];
      socket.write(headText(101, from.statusMessage, upgraded), 'latin1');
      if (first.length > 0) socket.write(first);
      if (head.length > 0) other.write(head);
      join(socket, other as Socket);
    });
    sent.on('response', (from) => {
      state = 'declined';
      passDeclined(request, from, socket);
    });
    sent.on('error', (error) => {
      clearTimeout(timer);
      answerUpgrade(request, socket, 500, `watchdog: the function's server did not answer: ${error.message}`);
    });
    sent.end();
  };

// Upgraded connections (WebSocket): after the handshake, bytes both ways.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { formatDuration } from '../../provider/types/duration.ts';
import { endToEnd, requestHeaders } from '../forwarded.ts';
import { request as send } from '../node-http.ts';
import type { Upstream } from '../upstream.ts';

const headText = (status: number, message: string, headers: readonly string[]): string => {
  const lines = [`HTTP/1.1 ${status} ${message}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
};

const refuse = (socket: Duplex, status: number, message: string, text: string): void => {
  const length = String(Buffer.byteLength(text));
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', length, 'X-OpenFaaS-Internal', 'watchdog'];
  socket.end(headText(status, message, [...headers, 'Connection', 'close']) + text);
};

const join = (a: Duplex, b: Duplex): void => {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
};

/** @param execTimeoutMs longest wait for the handshake; 0 for any */
export const createUpgrade =
  (upstream: Upstream, execTimeoutMs: number) =>
  (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const headers = [...requestHeaders(request), 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''];
    const path = upstream.prefix + (request.url as string);
    const sent = send({ ...upstream.address, agent: false, method: request.method as string, path, headers, setHost: false });
    const expire = (): void => {
      refuse(socket, 504, 'Gateway Timeout', `watchdog: no handshake within exec_timeout of ${formatDuration(execTimeoutMs)}\n`);
      sent.destroy();
    };
    const timer = execTimeoutMs === 0 ? undefined : setTimeout(expire, execTimeoutMs);
    const leave = (): void => {
      clearTimeout(timer);
      sent.destroy();
    };
    socket.on('error', leave);
    socket.on('close', leave);
    sent.on('upgrade', (from, other, first) => {
      clearTimeout(timer);
      const upgraded = [...endToEnd(from), 'Connection', 'Upgrade', 'Upgrade', from.headers.upgrade ?? ''];
      socket.write(headText(101, from.statusMessage ?? 'Switching Protocols', upgraded));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) other.write(head);
      join(socket, other);
    });
    sent.on('response', (from) => {
      clearTimeout(timer);
      socket.write(headText(from.statusCode as number, from.statusMessage ?? '', [...endToEnd(from), 'Connection', 'close']));
      from.pipe(socket);
    });
    sent.on('error', (error) => {
      clearTimeout(timer);
      if (!socket.destroyed && !socket.writableEnded) {
        refuse(socket, 500, 'Internal Server Error', `watchdog: the function's server did not answer: ${error.message}\n`);
      }
    });
    sent.end();
  };

// Upgraded connections (WebSocket): after the handshake, bytes both ways.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { formatDuration } from '../../provider/types/duration.ts';
import { answerUpgrade, headText } from '../answer-upgrade.ts';
import { longestTimerMs } from '../deadlines.ts';
import { endToEnd, requestHeaders } from '../forwarded.ts';
import { request as send } from '../node-http.ts';
import type { Upstream } from '../upstream.ts';

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
      const text = `watchdog: no handshake within exec_timeout of ${formatDuration(execTimeoutMs)}`;
      answerUpgrade(request, socket, 504, text, [], 'ExecTimeout');
      sent.destroy();
    };
    const timer = execTimeoutMs === 0 ? undefined : setTimeout(expire, Math.min(longestTimerMs, execTimeoutMs));
    const leave = (): void => {
      clearTimeout(timer);
      sent.destroy();
    };
    socket.on('error', leave);
    socket.on('close', leave);
    sent.on('upgrade', (from, other, first) => {
      clearTimeout(timer);
      const upgraded = [...endToEnd(from), 'Connection', 'Upgrade', 'Upgrade', from.headers.upgrade ?? ''];
      socket.write(headText(101, from.statusMessage, upgraded));
      if (first.length > 0) socket.write(first);
      if (head.length > 0) other.write(head);
      join(socket, other);
    });
    sent.on('response', (from) => {
      clearTimeout(timer);
      socket.write(headText(from.statusCode as number, from.statusMessage, [...endToEnd(from), 'Connection', 'close']));
      from.pipe(socket);
    });
    sent.on('error', (error) => {
      clearTimeout(timer);
      answerUpgrade(request, socket, 500, `watchdog: the function's server did not answer: ${error.message}`);
    });
    sent.end();
  };

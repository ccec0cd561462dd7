// Calls as fast as N kept-alive connections allow, with requests made once and answers parsed no further than their end.
import { connect, type Socket } from 'node:net';
import type { Measurement, Shape } from './measure.ts';
import { percentile } from './stats.ts';

const requestBytes = ({ url, method, bodyBytes, fresh }: Shape): Buffer => {
  const { host, pathname, search } = new URL(url);
  const head = `${method} ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n${fresh === true ? 'Connection: close\r\n' : ''}`;
  if (method === 'GET') return Buffer.from(`${head}\r\n`);
  return Buffer.from(`${head}Content-Type: text/plain\r\nContent-Length: ${bodyBytes}\r\n\r\n${'x'.repeat(bodyBytes)}`);
};

/** Where the answer that begins the text ends; -1 while it is not complete. */
const endOfAnswer = (text: string): number => {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return -1;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd + 2))?.[1];
  if (length !== undefined) return text.length >= headEnd + 4 + Number(length) ? headEnd + 4 + Number(length) : -1;
  const last = text.indexOf('\r\n0\r\n\r\n', headEnd);
  return last === -1 ? -1 : last + 7;
};

const runConnections = (shape: Shape, done: (measurement: Measurement) => void): void => {
  const { hostname, port } = new URL(shape.url);
  const bytes = requestBytes(shape);
  const latencies: number[] = [];
  const sockets = new Set<Socket>();
  let failures = 0;
  const startedMs = performance.now();
  const endMs = startedMs + shape.durationMs;

  const open = (): void => {
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    let pending = '';
    let sentMs = 0;
    const send = (): void => {
      sentMs = performance.now();
      socket.write(bytes);
    };
    socket.on('connect', send);
    socket.on('data', (chunk: string) => {
      pending += chunk;
      if (endOfAnswer(pending) === -1) return;
      const now = performance.now();
      latencies.push(now - sentMs);
      if (!pending.startsWith('HTTP/1.1 200')) failures += 1;
      pending = '';
      if (now < endMs && shape.fresh !== true) send();
    });
    socket.on('error', () => {
      failures += 1;
    });
    socket.on('close', () => {
      sockets.delete(socket);
      if (performance.now() < endMs) open();
    });
  };
  for (let count = 0; count < shape.connections; count += 1) open();

  setTimeout(() => {
    const elapsedS = (performance.now() - startedMs) / 1000;
    for (const socket of sockets) socket.destroy();
    done({
      calls: latencies.length,
      callsPerS: latencies.length / elapsedS,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      failures,
    });
  }, shape.durationMs);
};

process.once('message', (shape: Shape) => {
  runConnections(shape, (measurement) => void process.send?.(measurement));
});

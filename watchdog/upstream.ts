// Where the function's own server listens, and how it is told.
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Config, Start } from './config.ts';
import { StartError } from './start-error.ts';

export type Upstream = {
  readonly address: { readonly socketPath: string } | { readonly host: string; readonly port: number };
  /** Put before the path of every call; empty or `/base`. */
  readonly prefix: string;
  /** What the function's server gets in its environment. */
  readonly environment: Readonly<Record<string, string>>;
};

const maxSocketPathBytes = 107;
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

const bySocket = (config: Config): Upstream => {
  const socketPath = join(config.temporaryDir, `u${process.pid}.sock`);
  if (Buffer.byteLength(socketPath) > maxSocketPathBytes) {
    throw new StartError('Invalid', `TMPDIR: expected a path that leaves room for a socket name (107 bytes), got ${socketPath}`);
  }
  return { address: { socketPath }, prefix: '', environment: { SLUICE_UPSTREAM_SOCKET: socketPath } };
};

/**
 * No `upstream_url`: a socket of ours. Port 0, or a loopback port in a blank start, where several replicas share a
 * machine: a free port, told in `PORT` and `http_port`. Anything else: as it is written.
 */
export const chooseUpstream = async (config: Config, start: Start): Promise<Upstream> => {
  if (config.upstreamUrl === undefined) return bySocket(config);
  const url = new URL(config.upstreamUrl);
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname.replace(/^\[|\]$/g, '');
  const prefix = url.pathname.replace(/\/$/, '');
  const isOurs = url.port === '0' || (start === 'blank' && loopback.test(url.hostname));
  if (!isOurs) return { address: { host, port: url.port === '' ? 80 : Number(url.port) }, prefix, environment: {} };
  const port = await freePort(host);
  return { address: { host, port }, prefix, environment: { PORT: String(port), http_port: String(port) } };
};

const canConnect = (address: Upstream['address']): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = 'socketPath' in address ? connect(address.socketPath) : connect(address.port, address.host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      socket.destroy();
      resolve(false);
    });
  });

const firstPauseMs = 2;
const longestPauseMs = 100;

/** Resolves true once something listens there, false when `signal` says to stop looking. */
export const waitForListener = async (address: Upstream['address'], signal: AbortSignal): Promise<boolean> => {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    if (await canConnect(address)) return true;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', go);
        resolve();
      };
      const timer = setTimeout(go, pauseMs);
      signal.addEventListener('abort', go);
    });
  }
  return false;
};

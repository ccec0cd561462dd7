// Kept-alive connections to one endpoint: one call each at a time, the one used last is used next, so that spare ones go
// cold and close.
import type { Address } from '../../provider/provider.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import type { Transport } from './endpoint.ts';

export interface Connections extends Transport {
  /** Both ends are on this machine, and its kernel tells whether what was sent has been read. */
  readonly tellsUnread: boolean;
  /** `Host` for requests that name none. */
  readonly host: string;
  take(): Connection;
  /** Gives a connection back; one that cannot be used again is closed. */
  give(connection: Connection, isReusable: boolean): void;
}

const sweepMs = 1000;

const hostOf = (address: Address): string => {
  if ('socketPath' in address) return 'localhost';
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
};

export const createConnections = (parts: ConnectionParts): Connections => {
  const idle: Connection[] = [];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const forget = (connection: Connection): void => {
    const at = idle.indexOf(connection);
    if (at !== -1) idle.splice(at, 1);
  };

  const sweep = (): void => {
    const nowMs = performance.now();
    for (const connection of [...idle]) {
      if (connection.expiresMs > nowMs) continue;
      forget(connection);
      connection.close();
    }
    if (idle.length > 0) timer?.refresh();
    else timer = undefined;
  };

  return {
    tellsUnread: 'socketPath' in parts.address && process.platform === 'linux',
    host: hostOf(parts.address),
    take() {
      const connection = idle.pop();
      if (connection === undefined) return new Connection(parts);
      // A sweep may be late.
      if (connection.expiresMs <= performance.now()) {
        connection.close();
        return this.take();
      }
      return connection;
    },
    give(connection, isReusable) {
      if (!isReusable || closed || connection.closed) {
        connection.close();
        return;
      }
      connection.onLost ??= forget;
      connection.rest();
      idle.push(connection);
      timer ??= setTimeout(sweep, sweepMs).unref();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      for (const connection of idle.splice(0)) connection.close();
    },
  };
};

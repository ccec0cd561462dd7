// Kept-alive connections to one endpoint: one call each at a time, the one used last is used next, so that spare ones go
// cold and close. undici's own Pool looks through all of its clients per call and keeps them for ever.
import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Address } from '../../provider/provider.ts';
import { readAfterBrokenWrite } from './early-answer.ts';
import type { Transport } from './endpoint.ts';
import { readAsProxy } from './response-parser.ts';

export type Connection = {
  readonly client: Client;
  idle: boolean;
  /** The other end was closed when the last request was written: the kernel took nothing of it. */
  unwritable: boolean;
  /** The newest one. */
  socket: Socket | undefined;
  /** The other side broke it off; undici takes that for the end of an answer that has no length. */
  wasReset: boolean;
};

export interface Connections extends Transport {
  /** Both ends are on this machine, and its kernel tells whether what was sent has been read. */
  readonly tellsUnread: boolean;
  take(): Connection;
  /** Gives a connection back; one whose last call did not end cleanly is closed. */
  give(connection: Connection, clean: boolean): void;
}

const origin = (address: Address): string => {
  if ('socketPath' in address) return 'http://localhost';
  return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
};

/** @param connectTimeoutMs how long a connection may take to be made */
export const createConnections = (address: Address, connectTimeoutMs: number): Connections => {
  const connectPlain = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    ...('socketPath' in address ? { socketPath: address.socketPath } : {}),
  });
  const connect = (connection: Connection, ...[options, callback]: Parameters<buildConnector.connector>): void => {
    connectPlain(options, (...result) => {
      const socket = result[0] === null ? result[1] : undefined;
      if (socket !== undefined) {
        connection.socket = socket;
        readAfterBrokenWrite(socket, (error) => {
          connection.unwritable = error.code === 'EPIPE';
        });
        socket.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNRESET') connection.wasReset = true;
        });
      }
      callback(...result);
      if (socket !== undefined) readAsProxy(socket);
    });
  };
  const url = new URL(origin(address));
  const idle: Connection[] = [];
  let closed = false;

  // Not inside undici's own callbacks, where a client must stay what it was.
  const discard = (connection: Connection): void => {
    queueMicrotask(() => connection.client.destroy(null, () => {}));
  };

  const open = (): Connection => {
    const client = new Client(url, {
      connect: (...args) => connect(connection, ...args),
      allowH2: false,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 1024 * 1024,
    });
    const connection: Connection = { client, idle: false, socket: undefined, unwritable: false, wasReset: false };
    client.on('disconnect', () => {
      if (!connection.idle) return;
      connection.idle = false;
      idle.splice(idle.indexOf(connection), 1);
      discard(connection);
    });
    return connection;
  };

  return {
    tellsUnread: 'socketPath' in address && process.platform === 'linux',
    take() {
      const connection = idle.pop() ?? open();
      connection.idle = false;
      return connection;
    },
    give(connection, clean) {
      if (!clean || closed) return discard(connection);
      connection.idle = true;
      idle.push(connection);
    },
    close() {
      closed = true;
      for (const connection of idle.splice(0)) {
        connection.idle = false;
        discard(connection);
      }
    },
  };
};

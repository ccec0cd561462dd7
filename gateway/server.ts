// The gateway's HTTP server: which requests it takes at all, who gets them, and how it stops.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FaasError } from '../provider/types/errors.ts';
import { canonicalUrl } from './http/canonical.ts';
import { continueOnRead } from './http/continue.ts';
import { sendError, toRawResponse } from './http/error-response.ts';
import { ambiguity, toOriginForm } from './http/framing.ts';

export type ServerParts = {
  readonly functions: {
    handle(req: IncomingMessage, res: ServerResponse): void;
    upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  };
  /** Gets everything that is no function call. */
  readonly control: (req: IncomingMessage, res: ServerResponse) => void;
  readonly isFunctionPath: (url: string) => boolean;
  /** How long a client may take to send a request's head; default one minute. */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a connection without a request stays open; default 65 s, longer than load balancers keep theirs. */
  readonly keepAliveMs?: number | undefined;
  /** How often the first limit is looked at; default 5 s. */
  readonly checkMs?: number | undefined;
};

/** `port` 0 takes a free one. */
export type ListenAddress = { readonly host: string; readonly port: number };

export interface GatewayServer {
  /** @throws the system's error when the address cannot be had, such as EADDRINUSE */
  listen(address: ListenAddress): Promise<ListenAddress>;
  /** Takes no more connections, answers what runs with `Connection: close`, and cuts what is left after `drainMs`. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

const maxHeaderBytes = 1024 * 1024;

/** The response under way on a connection, which node:http keeps there and nowhere public. */
const responseOn = (socket: Duplex): ServerResponse | undefined =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;

const requestTimeout = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const answerToBrokenRequest = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimeout;
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return toRawResponse(new FaasError('headers-too-large', `request headers: expected at most ${maxHeaderBytes} bytes`));
  }
  return toRawResponse(new FaasError('invalid', `not an HTTP/1.1 request: ${error.message}`));
};

const isWebSocket = (req: IncomingMessage): boolean =>
  req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket' && req.httpVersionMinor === 1;

const listenOn = (http: Server, address: ListenAddress): Promise<ListenAddress> =>
  new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen({ ...address }, () => {
      http.off('error', reject);
      const { address: host, port } = http.address() as AddressInfo;
      resolve({ host, port });
    });
  });

const drain = (http: Server, sockets: ReadonlySet<Socket>, drainMs: number): Promise<void> =>
  new Promise((resolve) => {
    const limit = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, drainMs);
    http.close(() => {
      clearTimeout(limit);
      resolve();
    });
    for (const socket of sockets) {
      const response = responseOn(socket);
      if (response !== undefined) response.shouldKeepAlive = false;
    }
  });

export const createServer = (parts: ServerParts): GatewayServer => {
  const { functions, control, isFunctionPath } = parts;
  const sockets = new Set<Socket>();
  let draining = false;

  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    if (draining) res.shouldKeepAlive = false;
    const problem = ambiguity(req);
    if (problem !== undefined) {
      res.shouldKeepAlive = false;
      sendError(req, res, new FaasError('invalid', `ambiguous request: ${problem}`));
      return;
    }
    if ((req.url as string).charCodeAt(0) !== 47) toOriginForm(req);
    const url = req.url as string;
    const canonical = canonicalUrl(url);
    if (canonical !== undefined) res.writeHead(301, { Location: canonical, 'Content-Length': 0 }).end();
    else if (isFunctionPath(url)) functions.handle(req, res);
    else control(req, res);
  };

  const http: Server = createHttpServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: parts.headersTimeoutMs ?? 60_000,
    requestTimeout: 0,
    keepAliveTimeout: parts.keepAliveMs ?? 65_000,
    connectionsCheckingInterval: parts.checkMs ?? 5000,
    // Offers of other protocols may be ignored (RFC 9110, 7.8): they are ordinary requests to us.
    shouldUpgradeCallback: (req) =>
      isWebSocket(req) && isFunctionPath(req.url as string) && canonicalUrl(req.url as string) === undefined && !ambiguity(req),
  });
  // The size is bounded already; a bound on the count would drop headers without a word.
  http.maxHeadersCount = 0;

  http.on('request', handle);
  http.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    continueOnRead(req, res);
    handle(req, res);
  });
  http.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (draining) socket.end(toRawResponse(new FaasError('unavailable', 'the gateway is shutting down', { retryAfterS: 1 })));
    else functions.upgrade(req, socket, head);
  });
  http.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    socket.end(toRawResponse(new FaasError('method-not-allowed', 'method CONNECT is not allowed')));
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const response = responseOn(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || response?.headersSent === true) {
      socket.destroy();
      return;
    }
    socket.end(answerToBrokenRequest(error));
    // The caller of a request whose body breaks off is gone for its function at once.
    response?.destroy();
  });
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  return {
    listen: (address) => listenOn(http, address),
    close({ drainMs = 0 } = {}) {
      draining = true;
      return drain(http, sockets, drainMs);
    },
  };
};

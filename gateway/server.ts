// The gateway's HTTP server: which requests it takes at all, who gets them, and how it stops.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listenBacklog } from '../provider/types/backlog.ts';
import { FaasError } from '../provider/types/errors.ts';
import { maxHeaderBytes, refuseBroken } from './http/broken-request.ts';
import { canonicalUrl } from './http/canonical.ts';
import { continueOnRead } from './http/continue.ts';
import { sendError, toRawResponse } from './http/error-response.ts';
import { ambiguity, isLast, isOriginForm, toOriginForm } from './http/framing.ts';
import { GatheringRequest } from './http/gathering-request.ts';
import { isFunctionUpgrade, losesWhatFollows } from './http/offered-protocol.ts';
import { watchStalls } from './http/stalled.ts';
import { afterAnswers, createTurns, responseOn } from './http/turns.ts';
import { drainBriefly, endRaw } from './http/unread-body.ts';
import { createServer as createHttpServer } from './node-http.ts';

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

/** How long a client may leave a complete answer untaken. */
const unreadMs = 60_000;

/** `port` 0 takes a free one. */
export type ListenAddress = { readonly host: string; readonly port: number };

export interface GatewayServer {
  /** @throws the system's error when the address cannot be had, such as EADDRINUSE */
  listen(address: ListenAddress): Promise<ListenAddress>;
  /**
   * Every answer from now on is the last on its connection, while new ones are taken as before: those that `close` finds open
   * have not been used since, so that hardly anybody loses a request to the end of a connection.
   */
  retire(): void;
  /** Takes no more connections, answers what runs with `Connection: close`, and cuts what is left after `drainMs`. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/** What the bytes on a connection have to be to leave HTTP; anything else is an ordinary request. */
const mayUpgrade = (req: IncomingMessage, isFunctionPath: (url: string) => boolean): boolean =>
  isFunctionUpgrade(req) &&
  isFunctionPath(req.url as string) &&
  canonicalUrl(req.url as string) === undefined &&
  ambiguity(req) === undefined &&
  responseOn(req.socket) === undefined;

const refuseConnect = (req: IncomingMessage, socket: Duplex): void => {
  socket.on('error', () => socket.destroy());
  const error = new FaasError('method-not-allowed', 'method CONNECT is not allowed');
  afterAnswers(req.socket, () => endRaw(socket, toRawResponse(error)));
};

const refuseExpectation = (req: IncomingMessage, res: ServerResponse): void => {
  res.shouldKeepAlive = false;
  const text = `Expect: expected 100-continue, got ${JSON.stringify(req.headers.expect)}`;
  sendError(req, res, new FaasError('expectation-failed', text));
};

const createHttp = (parts: ServerParts): Server =>
  createHttpServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: parts.headersTimeoutMs ?? 60_000,
    requestTimeout: 0,
    keepAliveTimeout: parts.keepAliveMs ?? 65_000,
    connectionsCheckingInterval: parts.checkMs ?? 5000,
    // A missing one is refused with the others, in words.
    requireHostHeader: false,
    IncomingMessage: GatheringRequest,
    shouldUpgradeCallback: (req) => mayUpgrade(req, parts.isFunctionPath),
  });

const listenOn = (http: Server, address: ListenAddress): Promise<ListenAddress> =>
  new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen({ ...address, backlog: listenBacklog }, () => {
      http.off('error', reject);
      const { address: host, port } = http.address() as AddressInfo;
      resolve({ host, port });
    });
  });

const makeLast = (sockets: ReadonlySet<Socket>): void => {
  for (const socket of sockets) {
    const response = responseOn(socket);
    if (response !== undefined) response.shouldKeepAlive = false;
  }
};

/** Answers under way, whose connections end with them, also where their heads have said otherwise. */
const endWithAnswers = (sockets: ReadonlySet<Socket>): ServerResponse[] => {
  const answers: ServerResponse[] = [];
  for (const socket of sockets) {
    const response = responseOn(socket);
    if (response === undefined) continue;
    answers.push(response);
    // The answer to a request that waits behind it says itself that it is the last.
    response.once('close', () => {
      if (responseOn(socket) === undefined) socket.destroySoon();
    });
  }
  return answers;
};

const drain = (http: Server, sockets: ReadonlySet<Socket>, drainMs: number): Promise<void> =>
  new Promise((resolve) => {
    const limit = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, drainMs);
    makeLast(sockets);
    const unsent = endWithAnswers(sockets).filter((answer) => answer.writableEnded && !answer.writableFinished);
    // As it closes, node:http takes an answer that has been ended for one that has been sent, and cuts off what is on its way.
    for (const answer of unsent) answer.finished = false;
    http.close(() => {
      clearTimeout(limit);
      resolve();
    });
    for (const answer of unsent) answer.finished = true;
  });

export const createServer = (parts: ServerParts): GatewayServer => {
  const { functions, control, isFunctionPath } = parts;
  const sockets = new Set<Socket>();
  const turns = createTurns();
  let retired = false;
  let draining = false;

  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    if (retired || isLast(req)) res.shouldKeepAlive = false;
    const problem = ambiguity(req) ?? (isOriginForm(req) ? undefined : toOriginForm(req));
    if (problem !== undefined) {
      res.shouldKeepAlive = false;
      sendError(req, res, new FaasError('invalid', `ambiguous request: ${problem}`));
      drainBriefly(req);
      return;
    }
    const url = req.url as string;
    const canonical = canonicalUrl(url);
    if (canonical !== undefined) {
      res.writeHead(301, { Location: canonical, 'Content-Length': 0 }).end();
      drainBriefly(req);
    } else if (isFunctionPath(url)) functions.handle(req, res);
    else if (url === '*') res.writeHead(204).end();
    else control(req, res);
  };

  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    if (req.headers.upgrade !== undefined && losesWhatFollows(req)) res.shouldKeepAlive = false;
    const { socket } = req;
    if (responseOn(socket) !== res) turns.wait(req, res, serve);
    // After an answer that says it is the last, nothing is a request.
    else if (socket.writable) serve(req, res);
  };

  const http = createHttp(parts);
  // The size is bounded already; a bound on the count would drop headers without a word.
  http.maxHeadersCount = 0;

  http.on('request', handle);
  http.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    continueOnRead(req, res);
    handle(req, res);
  });
  http.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => turns.wait(req, res, refuseExpectation));
  http.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (draining) endRaw(socket, toRawResponse(new FaasError('unavailable', 'the gateway is shutting down', { retryAfterS: 1 })));
    else functions.upgrade(req, socket, head);
  });
  http.on('connect', refuseConnect);
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseBroken(turns, error, socket));
  const stopWatching = watchStalls({ sockets, limitMs: unreadMs, checkMs: parts.checkMs ?? 5000 });
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const retire = (): void => {
    retired = true;
    makeLast(sockets);
  };

  return {
    listen: (address) => listenOn(http, address),
    retire,
    close({ drainMs = 0 } = {}) {
      retired = true;
      draining = true;
      stopWatching();
      return drain(http, sockets, drainMs);
    },
  };
};

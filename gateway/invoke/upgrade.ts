// WebSockets: the same acquire and release as any call; the transfer is two sockets tied together by http-proxy. Everything
// that is no 101 is answered here, because http-proxy would copy a refusal's framing and not its body's.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type HttpProxy from 'http-proxy';
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { hopByHop } from '../../provider/types/headers.ts';
import type { CallLog } from '../http/call-log.ts';
import { toRawResponse } from '../http/error-response.ts';
import { endRaw } from '../http/unread-body.ts';
import { STATUS_CODES } from '../node-http.ts';
import { type AcquireParts, Claim, type Claimant } from './acquire.ts';
import type { EndpointState } from './endpoint.ts';
import { isRefusal } from './forward.ts';
import { callerLeft } from './outcome.ts';
import type { FunctionEntry } from './table.ts';
import type { EndpointWatch } from './watch-endpoints.ts';

export type UpgradeParts = AcquireParts & {
  /** Limit for the handshake of a function that has none of its own; an open connection has none. */
  readonly upstreamTimeoutMs: number;
  readonly watch: EndpointWatch;
  readonly callLog?: CallLog | undefined;
};

/** A request to switch protocols. `headers` and `answer` are flat lists. */
export type UpgradeRequest = {
  readonly key: string;
  readonly callId: string;
  /** Path and query for the function. */
  readonly target: string;
  /** For the function: end-to-end headers and the platform's own. */
  readonly headers: string[];
  /** For the caller, with whatever answer it gets. */
  readonly answer: Readonly<Record<string, string>>;
};

export type Upgrade = (request: UpgradeRequest, req: IncomingMessage, socket: Duplex, head: Buffer) => void;

const toRecord = (flat: readonly string[]): Record<string, string | string[]> => {
  const record: Record<string, string | string[]> = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase();
    const value = flat[i + 1] as string;
    const before = record[name];
    record[name] = before === undefined ? value : [before, value].flat();
  }
  return record;
};

const refusalHead = (response: IncomingMessage, answer: Readonly<Record<string, string>>): string => {
  const { statusCode = 502, statusMessage, rawHeaders } = response;
  let head = `HTTP/1.1 ${statusCode} ${statusMessage || STATUS_CODES[statusCode] || ''}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!hopByHop.has((rawHeaders[i] as string).toLowerCase())) head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  for (const [name, value] of Object.entries(answer)) head += `${name}: ${value}\r\n`;
  // The body's end is the connection's.
  return `${head}Connection: close\r\n\r\n`;
};

/** http-proxy calls util._extend, which warns on the console of whoever runs the gateway. */
const withoutDeprecations = (run: () => void): void => {
  const before = process.noDeprecation;
  process.noDeprecation = true;
  try {
    run();
  } finally {
    process.noDeprecation = before;
  }
};

const maxTries = 5;

/** How long one side of a WebSocket may go on after the other has ended. */
const lastWordsMs = 1000;

const longestTimerMs = 2 ** 31 - 1;

class UpgradeCall implements Claimant {
  readonly #parts: UpgradeParts;
  readonly #proxy: HttpProxy;
  readonly #request: UpgradeRequest;
  readonly #req: IncomingMessage;
  readonly #socket: Socket;
  readonly #claim: Claim;
  #head: Buffer;
  #entry: FunctionEntry | undefined;
  #endpoint: EndpointState | undefined;
  readonly #log: CallLog | undefined;
  readonly #beganMs = performance.now();
  readonly #bytesBefore: readonly [read: number, written: number];
  #grantedMs: number | undefined;
  #headMs: number | undefined;
  #error: FaasError | undefined;
  #startedAt = 0;
  #upstream: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tries = 0;
  #status = 0;
  #over = false;

  constructor(
    parts: UpgradeParts,
    proxy: HttpProxy,
    request: UpgradeRequest,
    req: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ) {
    this.#parts = parts;
    this.#proxy = proxy;
    this.#request = request;
    this.#req = req;
    this.#socket = socket;
    this.#head = head;
    this.#log = parts.callLog?.wants() === true ? parts.callLog : undefined;
    this.#bytesBefore = [socket.bytesRead, socket.bytesWritten];
    this.#claim = new Claim(parts, this, true);
  }

  begin(): void {
    this.#socket.once('close', () => this.#release());
    this.#claim.begin(this.#request.key);
  }

  known(entry: FunctionEntry): void {
    this.#entry = entry;
    this.#startedAt = performance.now();
    entry.counts.started();
  }

  refused(error: FaasError): void {
    const extra = error.code === 'not-found' ? {} : this.#request.answer;
    this.#status = error.status;
    this.#error = error;
    endRaw(this.#socket, toRawResponse(error, this.#req.headers.accept, extra));
    this.#release();
  }

  granted(endpoint: EndpointState): void {
    this.#startTimer();
    this.#endpoint = endpoint;
    this.#grantedMs ??= performance.now();
    const { address } = endpoint;
    const req = this.#req;
    const named = 'socketPath' in address ? { host: 'localhost', port: 80, socketPath: address.socketPath } : address;
    req.headers = { ...toRecord(this.#request.headers), connection: 'Upgrade', upgrade: 'websocket' };
    withoutDeprecations(() => {
      this.#proxy.once('proxyReqWs', (upstream) => {
        upstream.path = this.#request.target;
        upstream.once('upgrade', (response, peer) => this.#switched(response, peer as Socket));
        this.#upstream = upstream;
      });
      this.#proxy.ws(req, this.#socket, this.#head, {
        target: named as HttpProxy.ProxyTarget,
        toProxy: true,
        prependPath: false,
      });
    });
    this.#head = Buffer.alloc(0);
    const upstream = this.#upstream as ClientRequest;
    upstream.removeAllListeners('error').on('error', (error) => this.#failed(error));
    upstream.removeAllListeners('response').on('response', (response) => this.#declined(response));
  }

  #switched(response: IncomingMessage, peer: Socket): void {
    clearTimeout(this.#timer);
    if (this.#over) {
      peer.destroy();
      return;
    }
    this.#answered(101);
    this.#limitSilence();
    for (const [name, value] of Object.entries(this.#request.answer)) response.headers[name.toLowerCase()] ??= value;
    // http-proxy ties the orderly ends of the two together; these tie the others.
    this.#socket.once('close', () => peer.destroy());
    peer.once('close', () => this.#socket.destroySoon());
    // Nobody keeps half a WebSocket: who has heard the other's end gets a moment to say its own.
    const endSoon = (): void => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#socket.destroy(), lastWordsMs);
    };
    this.#socket.once('end', endSoon);
    peer.once('end', endSoon);
  }

  #declined(response: IncomingMessage): void {
    if (this.#over) return;
    this.#answered(response.statusCode ?? 502);
    this.#socket.write(refusalHead(response, this.#request.answer));
    response.once('error', () => this.#socket.destroy());
    response.pipe(this.#socket, { end: false });
    response.once('end', () => {
      endRaw(this.#socket, '');
      this.#release();
    });
  }

  #answered(status: number): void {
    this.#status = status;
    this.#claim.answered();
    this.#headMs = performance.now();
    (this.#endpoint as EndpointState).answers += 1;
  }

  /** Every byte passes the caller's socket, whichever way it goes. */
  #limitSilence(): void {
    const limitMs = (this.#entry as FunctionEntry).limits.idleTimeoutMs;
    if (limitMs === 0) return;
    this.#socket.setTimeout(Math.min(limitMs, longestTimerMs), () => {
      const text = `neither side of the WebSocket to function ${this.#request.key} sent a byte for ${formatDuration(limitMs)}`;
      this.#error = new FaasError('timeout', text, { reason: 'IdleTimeout' });
      this.#socket.destroy();
    });
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    const refused = isRefusal(error);
    if (refused) this.#parts.watch.refused(this.#entry as FunctionEntry, this.#endpoint as EndpointState);
    this.#tries += 1;
    if (this.#status !== 0) this.#socket.destroy();
    else if (refused && this.#tries < maxTries) {
      setTimeout(() => {
        if (!this.#over) this.#claim.again();
      }, this.#tries * 10);
    } else {
      this.refused(
        new FaasError('upstream', `function ${this.#request.key} could not be reached: ${error.message}`, { cause: error }),
      );
    }
  }

  #startTimer(): void {
    const limitMs = this.#entry?.timeoutMs ?? this.#parts.upstreamTimeoutMs;
    if (this.#timer !== undefined || limitMs === 0) return;
    this.#timer = setTimeout(() => {
      if (this.#status !== 0) return;
      const text = `function ${this.#request.key} did not accept the WebSocket within ${formatDuration(limitMs)}, the limit of the gateway for this call`;
      this.refused(new FaasError('timeout', text, { reason: 'UpstreamTimeout' }));
    }, limitMs);
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#status !== 101) this.#upstream?.destroy();
    this.#claim.release();
    const status = this.#status || callerLeft;
    if (this.#log !== undefined) this.#write(this.#log, status);
    if (this.#entry === undefined) return;
    this.#entry.counts.finished(status, (performance.now() - this.#startedAt) / 1000);
  }

  #write(log: CallLog, status: number): void {
    const [read, written] = this.#bytesBefore;
    log.write({
      callId: this.#request.callId,
      fn: this.#request.key,
      method: 'GET',
      origin: 'http',
      status,
      error: this.#error,
      left: status === callerLeft,
      endpoint: this.#endpoint?.id,
      bytesIn: this.#socket.bytesRead - read,
      bytesOut: this.#socket.bytesWritten - written,
      beganMs: this.#beganMs,
      grantedMs: this.#grantedMs,
      headMs: this.#headMs,
      endedMs: performance.now(),
    });
  }
}

export const createUpgrader = (parts: UpgradeParts): Upgrade => {
  let proxy: Promise<HttpProxy> | undefined;
  // Loaded with the first WebSocket: most gateways never see one.
  const load = async (): Promise<HttpProxy> => (await import('http-proxy')).default.createProxyServer({});
  return (request, req, duplex, head) => {
    const socket = duplex as Socket;
    socket.on('error', () => socket.destroy());
    proxy ??= load();
    void proxy.then((loaded) => {
      if (!socket.destroyed) new UpgradeCall(parts, loaded, request, req, socket, head).begin();
    });
  };
};

// WebSockets: the same acquire and release as any call; the transfer is two sockets tied together by http-proxy. Everything
// that is no 101 is answered here, because http-proxy would copy a refusal's framing and not its body's.
import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type HttpProxy from 'http-proxy';
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { hopByHop } from '../../provider/types/headers.ts';
import { toRawResponse } from '../http/error-response.ts';
import { endRaw } from '../http/unread-body.ts';
import { type AcquireParts, Claim, type Claimant } from './acquire.ts';
import type { EndpointState } from './endpoint.ts';
import { callerLeft } from './outcome.ts';
import type { FunctionEntry } from './table.ts';

export type UpgradeParts = AcquireParts & {
  /** Limit for the handshake of a function that has none of its own; an open connection has none. */
  readonly upstreamTimeoutMs: number;
};

/** A request to switch protocols. `headers` and `answer` are flat lists. */
export type UpgradeRequest = {
  readonly key: string;
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

class UpgradeCall implements Claimant {
  readonly #parts: UpgradeParts;
  readonly #proxy: HttpProxy;
  readonly #request: UpgradeRequest;
  readonly #req: IncomingMessage;
  readonly #socket: Socket;
  readonly #claim: Claim;
  #head: Buffer;
  #entry: FunctionEntry | undefined;
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
    this.#claim = new Claim(parts, this);
  }

  begin(): void {
    this.#socket.once('close', () => this.#release());
    this.#claim.begin(this.#request.key);
  }

  known(entry: FunctionEntry): void {
    this.#entry = entry;
    this.#startedAt = performance.now();
    this.#parts.metrics.started(entry.key);
  }

  refused(error: FaasError): void {
    const extra = error.code === 'not-found' ? {} : this.#request.answer;
    this.#status = error.status;
    endRaw(this.#socket, toRawResponse(error, this.#req.headers.accept, extra));
    this.#release();
  }

  granted({ address }: EndpointState): void {
    this.#startTimer();
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
    this.#status = 101;
    for (const [name, value] of Object.entries(this.#request.answer)) response.headers[name.toLowerCase()] ??= value;
    // http-proxy ties the orderly ends of the two together; these tie the others.
    this.#socket.once('close', () => peer.destroy());
    peer.once('close', () => this.#socket.destroySoon());
  }

  #declined(response: IncomingMessage): void {
    if (this.#over) return;
    this.#status = response.statusCode ?? 502;
    this.#socket.write(refusalHead(response, this.#request.answer));
    response.once('error', () => this.#socket.destroy());
    response.pipe(this.#socket, { end: false });
    response.once('end', () => {
      endRaw(this.#socket, '');
      this.#release();
    });
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    const refused = error.code === 'ECONNREFUSED' || error.code === 'ENOENT' || error.code === 'EAGAIN';
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
    if (this.#entry === undefined) return;
    this.#parts.metrics.finished(this.#entry.key, this.#status || callerLeft, (performance.now() - this.#startedAt) / 1000);
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

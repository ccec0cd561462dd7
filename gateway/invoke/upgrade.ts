// WebSockets and other upgrades: the same acquire and release as any call; the transfer is two sockets tied together.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address } from '../../provider/provider.ts';
import { formatDuration, longestTimerMs } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { maxHeaderBytes } from '../http/broken-request.ts';
import type { CallLog } from '../http/call-log.ts';
import { callerLeft } from '../http/caller-left.ts';
import { toRawResponse } from '../http/error-response.ts';
import { endRaw } from '../http/unread-body.ts';
import { request as send } from '../node-http.ts';
import { type AcquireParts, Claim, type Claimant } from './acquire.ts';
import { headText, passDeclined } from './declined.ts';
import type { EndpointState } from './endpoint.ts';
import { isRefusal } from './forward.ts';
import { responseHeaders } from './forwarded.ts';
import { watchdogFirstMs } from './limits.ts';
import type { FunctionEntry } from './table.ts';
import { tie } from './tie.ts';
import type { EndpointWatch } from './watch-endpoints.ts';

export type UpgradeParts = AcquireParts & {
  /** Limit for the handshake of a function that has none of its own; an open connection has none. */
  readonly upstreamTimeoutMs: number;
  readonly watch: EndpointWatch;
  readonly callLog?: CallLog | undefined;
};

/** A request to switch protocols. `headers` is a flat list. */
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

const maxTries = 5;

const keepAliveDelayMs = 60_000;

/** What a caller may send before there is somebody to take it. */
const maxEarlyBytes = 64 * 1024;

/** Half-open, because the function may have last words, too. */
const connectTo = (address: Address): Socket => {
  const place = 'socketPath' in address ? { path: address.socketPath } : { host: address.host, port: address.port };
  return connect({ ...place, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs });
};

class UpgradeCall implements Claimant {
  readonly #parts: UpgradeParts;
  readonly #request: UpgradeRequest;
  readonly #req: IncomingMessage;
  readonly #socket: Socket;
  readonly #claim: Claim;
  /** What the caller has sent behind its handshake. */
  #early: Buffer[];
  #earlyBytes: number;
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

  constructor(parts: UpgradeParts, request: UpgradeRequest, req: IncomingMessage, socket: Socket, head: Buffer) {
    this.#parts = parts;
    this.#request = request;
    this.#req = req;
    this.#socket = socket;
    this.#early = head.length === 0 ? [] : [head];
    this.#earlyBytes = head.length;
    this.#log = parts.callLog?.wants() === true ? parts.callLog : undefined;
    this.#bytesBefore = [socket.bytesRead, socket.bytesWritten];
    this.#claim = new Claim(parts, this, true);
  }

  begin(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveDelayMs);
    socket.once('close', () => this.#release());
    // Who ends before the function has switched has left; only who reads hears of it.
    socket.once('end', () => {
      if (!this.#over && this.#status !== 101) socket.destroy();
    });
    socket.on('data', this.#keep);
    this.#claim.begin(this.#request.key);
  }

  /** What the caller would switch to. */
  get #protocol(): string {
    return this.#req.headers.upgrade as string;
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > maxEarlyBytes) this.#socket.pause();
  };

  /** What the caller has sent until now; from here on somebody else has to read. */
  #takeEarly(): Buffer[] {
    const early = this.#early;
    this.#early = [];
    this.#socket.off('data', this.#keep);
    return early;
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
    this.#takeEarly();
    endRaw(this.#socket, toRawResponse(error, this.#req.headers.accept, extra));
    this.#release();
  }

  granted(endpoint: EndpointState): void {
    this.#startTimer();
    this.#endpoint = endpoint;
    this.#grantedMs ??= performance.now();
    let upstream: ClientRequest;
    try {
      upstream = send({
        createConnection: () => connectTo(endpoint.address),
        method: 'GET',
        path: this.#request.target,
        headers: [...this.#request.headers, 'Connection', 'Upgrade', 'Upgrade', this.#protocol],
        setHost: false,
        maxHeaderSize: maxHeaderBytes,
      });
    } catch (cause) {
      this.refused(new FaasError('invalid', `request cannot be forwarded: ${(cause as Error).message}`, { cause }));
      return;
    }
    this.#upstream = upstream;
    upstream.on('error', (error) => this.#failed(error));
    upstream.on('response', (response) => this.#declined(response));
    upstream.on('upgrade', (response, peer, first) => this.#switched(response, peer as Socket, first));
    upstream.end();
  }

  #switched(response: IncomingMessage, peer: Socket, first: Buffer): void {
    clearTimeout(this.#timer);
    if (this.#over) {
      peer.destroy();
      return;
    }
    const protocol = response.headers.upgrade;
    if (protocol?.toLowerCase() !== this.#protocol.toLowerCase()) {
      peer.destroy();
      this.#failed(new Error(`expected a switch to ${this.#protocol}, got ${JSON.stringify(protocol)}`));
      return;
    }
    this.#answered(101);
    const socket = this.#socket;
    const headers = responseHeaders(response.rawHeaders);
    headers.push('Connection', 'Upgrade', 'Upgrade', protocol);
    socket.write(headText(101, response.statusMessage, headers, this.#request.answer), 'latin1');
    if (first.length > 0) socket.write(first);
    for (const chunk of this.#takeEarly()) peer.write(chunk);
    tie(socket, peer);
  }

  #declined(response: IncomingMessage): void {
    if (this.#over) return;
    // For node:http it is no switch when it does not say to what.
    if (response.statusCode === 101) {
      this.#failed(new Error('it switched protocols without a word about which'));
      return;
    }
    this.#answered(response.statusCode ?? 502);
    this.#takeEarly();
    this.#socket.resume();
    passDeclined(response, this.#socket, this.#request.answer, () => this.#release());
  }

  #answered(status: number): void {
    this.#status = status;
    this.#claim.answered();
    this.#headMs = performance.now();
    (this.#endpoint as EndpointState).answers += 1;
    this.#limitSilence();
  }

  /** Every byte passes the caller's socket, whichever way it goes. */
  #limitSilence(): void {
    const limitMs = (this.#entry as FunctionEntry).limits.idleTimeoutMs;
    if (limitMs === 0) return;
    this.#socket.setTimeout(Math.min(limitMs, longestTimerMs), () => {
      const text = `neither side of the connection (${this.#protocol}) to function ${this.#request.key} sent a byte for ${formatDuration(limitMs)}`;
      this.#cut(new FaasError('timeout', text, { reason: 'IdleTimeout' }));
    });
  }

  #cut(error: FaasError): void {
    if (this.#over) return;
    this.#error = error;
    this.#socket.destroy();
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
      const what = refused || error.syscall === 'connect' ? 'could not be reached' : 'closed the connection or answered garbage';
      this.refused(new FaasError('upstream', `function ${this.#request.key} ${what}: ${error.message}`, { cause: error }));
    }
  }

  #startTimer(): void {
    const limitMs = this.#entry?.timeoutMs ?? this.#parts.upstreamTimeoutMs;
    if (this.#timer !== undefined || limitMs === 0) return;
    this.#timer = setTimeout(() => this.#expire(limitMs), Math.min(limitMs + watchdogFirstMs, longestTimerMs));
  }

  #expire(limitMs: number): void {
    const what = this.#status === 0 ? `accept ${this.#protocol}` : `finish its answer to the offer of ${this.#protocol}`;
    const text = `function ${this.#request.key} did not ${what} within ${formatDuration(limitMs)}, the limit of the gateway for this call`;
    const error = new FaasError('timeout', text, { reason: 'UpstreamTimeout' });
    if (this.#status === 0) this.refused(error);
    else this.#cut(error);
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

export const createUpgrader =
  (parts: UpgradeParts): Upgrade =>
  (request, req, duplex, head) => {
    const socket = duplex as Socket;
    socket.on('error', () => socket.destroy());
    if (!socket.destroyed) new UpgradeCall(parts, request, req, socket, head).begin();
  };

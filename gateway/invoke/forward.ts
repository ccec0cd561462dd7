// Second step of a call: one request to one endpoint, streaming both ways.
import { Readable } from 'node:stream';
import type { Connection, ConnectionUser } from './connection.ts';
import type { Connections } from './connections.ts';
import { responseHeaders, withoutLength } from './forwarded.ts';
import type { Invocation } from './invocation.ts';
import { type BodyProgress, RequestBody } from './request-body.ts';
import { type RequestHead, requestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Why an endpoint gave no complete answer. */
export type ForwardFailure = {
  /**
   * `unreached`: no connection came about, nothing was sent. `broken`: the connection ended or spoke no HTTP.
   * `unsendable`: the request holds what HTTP does not allow, and was not sent.
   */
  readonly kind: 'unreached' | 'broken' | 'unsendable';
  /** Another endpoint, or this one a moment later, may take the request: nobody has read a byte of it. */
  readonly retryable: boolean;
  readonly cause: Error;
};

/** Gets what the endpoint sends; `ended` or `failed` comes last, and nothing after an abort. */
export interface Receiver {
  informational(status: number, headers: string[]): void;
  head(status: number, statusText: string, headers: string[]): void;
  data(chunk: Uint8Array): boolean;
  ended(trailers: string[] | undefined): void;
  failed(failure: ForwardFailure): void;
}

/** Refused, not there, or too many knocking at once. */
const refusals: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN']);

/** The kernel has sent nothing: nobody took the connection, or who was to take it went before. */
export const isRefusal = (error: NodeJS.ErrnoException): boolean => {
  if (error.code === undefined && error instanceof AggregateError) return isRefusal(error.errors[0] as Error);
  return refusals.has(error.code) || (error.code === 'ECONNRESET' && error.syscall === 'connect');
};

/** Small enough to be sent by one write, and to be read whole or not at all. */
const maxAtomicBytes = 16 * 1024;

const isAtomic = ({ target, headers, body }: Invocation): boolean => {
  if (body instanceof Readable) return false;
  let bytes = target.length + (body?.length ?? 0);
  for (const text of headers) bytes += text.length + 2;
  return bytes <= maxAtomicBytes;
};

const isReset = (error: NodeJS.ErrnoException): boolean => error.code === 'ECONNRESET' && error.syscall === 'read';

/** Up to here a body is sent as one string with its head: one write instead of three, at the price of a copy. */
const maxJoinedBytes = 4096;

export class Forwarding implements ConnectionUser {
  readonly #connections: Connections;
  readonly #receiver: Receiver;
  #connection: Connection | undefined;
  #invocation: Invocation | undefined;
  #body: RequestBody | undefined;
  #answered = false;
  #over = false;

  constructor(connections: Connections, receiver: Receiver) {
    this.#connections = connections;
    this.#receiver = receiver;
  }

  /** May call the receiver before it returns. */
  send(invocation: Invocation, progress?: BodyProgress): void {
    let head: RequestHead;
    try {
      head = requestHead(invocation, this.#connections.host);
    } catch (error) {
      this.#over = true;
      this.#receiver.failed({ kind: 'unsendable', retryable: false, cause: error as Error });
      return;
    }
    this.#invocation = invocation;
    const connection = this.#connections.take();
    this.#connection = connection;
    connection.begin(this, invocation.method);
    const { body } = invocation;
    if (body === undefined) connection.write(head.text);
    else if (!(body instanceof Readable)) this.#sendBytes(connection, head.text, body);
    else {
      const length = typeof head.framing === 'number' ? head.framing : undefined;
      this.#body = new RequestBody(head.text, body, connection, length, progress, (error) => this.broken(error));
      // Nobody may read of a body, and ask the caller for it, that cannot be sent.
      connection.whenConnected(() => this.#body?.begin());
    }
  }

  #sendBytes(connection: Connection, head: string, body: Uint8Array): void {
    if (body.length > maxJoinedBytes) {
      connection.writeBoth(head, body);
      return;
    }
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
    connection.write(head + bytes.toString('latin1'));
  }

  /** Ends the request on the endpoint's side; the receiver hears nothing more. */
  abort(): void {
    if (!this.#over) this.#finish(false);
  }

  resume(): void {
    if (!this.#over) this.#connection?.resume();
  }

  drained(): void {
    this.#body?.resume();
  }

  informational(status: number, headers: string[]): void {
    this.#answered = true;
    this.#receiver.informational(status, withoutLength(responseHeaders(headers)));
  }

  head(status: number, reason: string, headers: string[]): void {
    this.#answered = true;
    this.#receiver.head(status, reason, responseHeaders(headers));
  }

  data(chunk: Buffer): void {
    if (!this.#receiver.data(chunk) && !this.#over) this.#connection?.pause();
  }

  ended(trailers: string[] | undefined, head: ResponseHead, isReusable: boolean): void {
    if (this.#over) return;
    this.#finish(isReusable);
    this.#receiver.ended(trailers === undefined ? undefined : responseHeaders(trailers, head.headers));
  }

  broken(error: Error): void {
    if (this.#over) return;
    const reached = this.#connection?.connected === true;
    const retryable = reached ? this.#isUnread(error) : isRefusal(error);
    this.#finish(false);
    this.#receiver.failed({ kind: reached ? 'broken' : 'unreached', retryable, cause: error });
  }

  /**
   * Whether the request died unread, as when its replica was killed with it in the socket. A unix socket of Linux takes
   * nothing once the other end is closed (EPIPE), and is reset only when it was closed with something unread in it: here
   * that can only be the request, which is read whole or not at all.
   */
  #isUnread(error: Error): boolean {
    if (this.#answered || !this.#connections.tellsUnread || this.#invocation === undefined) return false;
    return (this.#connection?.unwritable === true || isReset(error)) && isAtomic(this.#invocation);
  }

  #finish(isReusable: boolean): void {
    this.#over = true;
    const connection = this.#connection;
    const body = this.#body;
    body?.stop();
    if (connection !== undefined) {
      this.#connections.give(connection, isReusable && (body === undefined || body.sent) && connection.isFlushed);
    }
  }
}

// One kept-alive connection to an endpoint: a request at a time, and the answer to it.
import { connect, type Socket } from 'node:net';
import type { Address } from '../../provider/provider.ts';
import { readAfterBrokenWrite } from '../../provider/types/early-answer.ts';
import type { ResponseHead } from './response-head.ts';
import { type ResponseListener, ResponseReader } from './response-reader.ts';

/** Who has a connection for a call. */
export interface ConnectionUser {
  informational(status: number, headers: string[]): void;
  head(status: number, reason: string, headers: string[]): void;
  /** The bytes are the user's. */
  data(chunk: Buffer): void;
  /** @param isReusable the connection can take another request, if this one has been sent whole */
  ended(trailers: string[] | undefined, head: ResponseHead, isReusable: boolean): void;
  /** The connection was not made, is lost, or spoke no HTTP. */
  broken(error: Error): void;
  /** What was written is on its way; only after a write that said false. */
  drained(): void;
}

export type ConnectionParts = {
  readonly address: Address;
  readonly connectTimeoutMs: number;
  /** All connections read into it, one after another: what a listener gets of it is a copy. */
  readonly readBuffer: Buffer;
};

/** How long a connection without a request stays open, unless the function says how long it keeps it. */
const usualIdleMs = 4000;
const longestIdleMs = 600_000;
/** Before the function closes it: a request may be on its way for a while. */
const closeBeforeMs = 2000;

const keepAliveDelayMs = 60_000;

export class Connection implements ResponseListener {
  /** It was made. */
  connected = false;
  /** The other end was closed when the last request was written: the kernel took nothing of it. */
  unwritable = false;
  /** When it has to be closed if it is not used before, in ms of performance.now(). */
  expiresMs = 0;
  closed = false;
  /** Called once it is closed while nobody uses it. */
  onLost: ((connection: Connection) => void) | undefined;
  readonly #socket: Socket;
  readonly #reader = new ResponseReader();
  #user: ConnectionUser | undefined;
  #whenConnected: (() => void) | undefined;
  #idleMs = usualIdleMs;
  #paused = false;

  constructor({ address, connectTimeoutMs, readBuffer }: ConnectionParts) {
    const onread = { buffer: readBuffer, callback: (length: number) => this.#read(readBuffer, length) };
    const place = 'socketPath' in address ? { path: address.socketPath } : { host: address.host, port: address.port };
    const socket = connect({ ...place, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs });
    this.#socket = socket;
    readAfterBrokenWrite(socket, (error) => {
      this.unwritable = error.code === 'EPIPE';
    });
    const text = `no connection within ${connectTimeoutMs} ms`;
    const limit = setTimeout(() => this.#lose(new Error(text)), connectTimeoutMs);
    socket.once('connect', () => {
      clearTimeout(limit);
      this.connected = true;
      // Who waits for an answer holds the process open himself.
      socket.unref();
      this.#whenConnected?.();
    });
    socket.on('drain', () => this.#user?.drained());
    socket.once('end', () => {
      if (this.#user === undefined || !this.#reader.end()) this.#lose(new Error('other side closed'));
    });
    socket.on('error', (error) => this.#lose(error));
    socket.once('close', () => {
      clearTimeout(limit);
      this.#lose(new Error('the connection was closed'));
    });
  }

  /** What comes from now on is the answer to this user's request. */
  begin(user: ConnectionUser, method: string): void {
    this.#user = user;
    this.#reader.begin(this, method === 'HEAD');
  }

  /** Calls `run` when there is a connection, maybe at once; never when none comes about. */
  whenConnected(run: () => void): void {
    if (this.connected) run();
    else this.#whenConnected = run;
  }

  /** False when it should be written no more until `drained`. @param text of Latin-1 */
  write(text: string): boolean {
    return this.#socket.write(text, 'latin1');
  }

  /** As `write`. */
  writeBytes(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  /** As `write`; both in one go. */
  writeBoth(text: string, bytes: Uint8Array): boolean {
    const socket = this.#socket;
    socket.cork();
    socket.write(text, 'latin1');
    const goOn = socket.write(bytes);
    socket.uncork();
    return goOn;
  }

  /** Whether everything written was handed to the system. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  pause(): void {
    if (this.#user === undefined) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Nobody uses it for now. */
  rest(): void {
    this.expiresMs = performance.now() + this.#idleMs;
  }

  /** Ends it at once; its user hears nothing more. */
  close(): void {
    this.#user = undefined;
    this.closed = true;
    this.#reader.stop();
    this.#socket.destroy();
  }

  informational(status: number, headers: string[]): void {
    this.#user?.informational(status, headers);
  }

  head(status: number, reason: string, headers: string[]): void {
    this.#user?.head(status, reason, headers);
  }

  data(chunk: Buffer): void {
    this.#user?.data(chunk);
  }

  ended(trailers: string[] | undefined, head: ResponseHead, isClean: boolean): void {
    const user = this.#user;
    this.#user = undefined;
    this.resume();
    this.#idleMs = head.keepAliveMs === undefined ? usualIdleMs : Math.min(head.keepAliveMs - closeBeforeMs, longestIdleMs);
    user?.ended(trailers, head, isClean && head.keepAlive && this.#idleMs > 0 && !this.closed);
  }

  /** Why a boolean: the socket stops reading after false. */
  #read(bytes: Buffer, length: number): boolean {
    try {
      this.#reader.read(bytes, length);
    } catch (error) {
      this.#lose(error as Error);
    }
    return true;
  }

  #lose(error: Error): void {
    if (this.closed) return;
    const user = this.#user;
    this.close();
    if (user === undefined) this.onLost?.(this);
    else user.broken(error);
  }
}

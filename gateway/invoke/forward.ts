// Second step of a call: one request to one endpoint, streaming both ways, through undici's dispatch.
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Connection, Connections } from './connections.ts';
import { responseHeaders } from './forwarded.ts';
import type { Invocation } from './invocation.ts';
import { type BodyProgress, RequestBody } from './request-body.ts';
import { endWithTrailers, trailerLines } from './request-trailers.ts';

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

/** Refused, not there, or too many knocking at once: in each case the kernel has sent nothing. */
const refusals: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN']);

const codeOf = (error: Error): string | undefined => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined && error instanceof AggregateError) return codeOf(error.errors[0] as Error);
  return code;
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

type ParsedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What an endpoint must not answer to a request that asked for neither another protocol nor a coding. */
const answerProblem = (status: number, headers: ParsedHeaders): string | undefined => {
  if (status === 101) return 'it switched protocols unasked';
  const coding = headers['transfer-encoding'];
  if (coding === undefined || String(coding).toLowerCase() === 'chunked') return undefined;
  return `Transfer-Encoding: expected chunked, got ${JSON.stringify(coding)}`;
};

export class Forwarding implements Dispatcher.DispatchHandler {
  readonly #connections: Connections;
  readonly #connection: Connection;
  readonly #receiver: Receiver;
  #controller: Dispatcher.DispatchController | undefined;
  #invocation: Invocation | undefined;
  #answered = false;
  #over = false;

  constructor(connections: Connections, receiver: Receiver) {
    this.#connections = connections;
    this.#connection = connections.take();
    this.#receiver = receiver;
  }

  /** May call the receiver before it returns. */
  send(invocation: Invocation, progress?: BodyProgress): void {
    const { body } = invocation;
    this.#invocation = invocation;
    if (body instanceof Readable) this.onRequestSent = () => this.#sendTrailers(body);
    this.#connection.client.dispatch(
      {
        method: invocation.method as Dispatcher.HttpMethod,
        path: invocation.target,
        headers: invocation.headers,
        // undici needs a little of a stream only; see RequestBody.
        body: body instanceof Readable ? (new RequestBody(body, progress) as unknown as Readable) : body,
        // Otherwise undici gives up the connection after HEAD and after a body where it expects none.
        reset: false,
      },
      this,
    );
  }

  /** undici calls it when a body has ended, just before it writes the end. */
  onRequestSent?: () => void;

  #sendTrailers(body: Readable): void {
    const lines = trailerLines(body);
    if (lines !== '' && this.#connection.socket !== undefined) endWithTrailers(this.#connection.socket, lines);
  }

  /** Ends the request on the endpoint's side; the receiver hears nothing more. */
  abort(): void {
    if (this.#over) return;
    this.#finish(false);
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, parsed: ParsedHeaders, statusText?: string): void {
    if (this.#over) return;
    this.#answered = true;
    const problem = answerProblem(status, parsed);
    if (problem !== undefined) {
      controller.abort(new Error(problem));
      return;
    }
    const headers = responseHeaders(controller.rawHeaders as Buffer[]);
    if (status < 200) this.#receiver.informational(status, headers);
    else this.#receiver.head(status, statusText ?? '', headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#receiver.data(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    if (this.#connection.wasReset) {
      this.onResponseError(controller, new Error('the connection was reset'));
      return;
    }
    const raw = controller.rawTrailers as Buffer[] | undefined;
    this.#finish(true);
    this.#receiver.ended(raw === undefined || raw.length === 0 ? undefined : responseHeaders(raw));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    this.#finish(false);
    const unreached = this.#controller === undefined;
    this.#receiver.failed({
      kind: !unreached ? 'broken' : codeOf(error) === 'UND_ERR_INVALID_ARG' ? 'unsendable' : 'unreached',
      retryable: unreached ? refusals.has(codeOf(error)) : this.#isUnread(error),
      cause: error,
    });
  }

  /**
   * Whether the request died unread, as when its replica was killed with it in the socket. A unix socket of Linux takes
   * nothing once the other end is closed (EPIPE), and is reset only when it was closed with something unread in it: here
   * that can only be the request, which is read whole or not at all.
   */
  #isUnread(error: Error): boolean {
    if (this.#answered || !this.#connections.tellsUnread || this.#invocation === undefined) return false;
    return (this.#connection.unwritable || isReset(error)) && isAtomic(this.#invocation);
  }

  #finish(clean: boolean): void {
    this.#over = true;
    this.#connections.give(this.#connection, clean);
  }
}

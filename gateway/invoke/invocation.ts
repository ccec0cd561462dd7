// What to call and what receives the answer. Every caller of functions (HTTP server, queue worker, event triggers) makes
// an Invocation and brings a Sink; nothing else passes between them and the invoker.
import type { Readable } from 'node:stream';
import type { FaasError } from '../../provider/types/errors.ts';

/** A call to make. Header lists are flat, `[name, value, name, value, …]`, in the order and case they came in. */
export type Invocation = {
  /** `name.namespace`, always with its namespace. */
  readonly key: string;
  readonly method: string;
  /** Path and query as the function shall see them, byte for byte; begins with a slash. */
  readonly target: string;
  /** Ready to be sent: hop-by-hop headers are gone, the platform's own are in. */
  readonly headers: string[];
  /** Bytes are sent with their length; a stream with the length its `Content-Length` header says, else chunked. */
  readonly body: Uint8Array | Readable | undefined;
  readonly callId: string;
  readonly origin: 'http' | 'async' | 'event';
};

/** Receives one answer: any number of informational heads, then head, data and end; or `failed` at any point, last. */
export interface Sink {
  informational(status: number, headers: string[]): void;
  /** `headers` is the function's end-to-end headers and may be changed by the sink. */
  head(status: number, statusText: string, headers: string[]): void;
  /** False when the sink wants no more until it calls `resume` of its call. */
  data(chunk: Uint8Array): boolean;
  end(trailers: string[] | undefined): void;
  /** Nothing follows. When `head` was called before, the answer is incomplete and must not look complete. */
  failed(error: FaasError): void;
}

/** A call under way. */
export interface Call {
  /** The caller has gone: the function's side is aborted at once and the sink hears nothing more. */
  cancel(): void;
  /** Lets data flow again after the sink returned false. */
  resume(): void;
}

export type Invoke = (invocation: Invocation, sink: Sink) => Call;

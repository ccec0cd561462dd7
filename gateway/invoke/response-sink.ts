// Writes the answer of a call to an HTTP client as it comes, with back-pressure; cuts the connection of an answer that breaks off.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaasError } from '../../provider/types/errors.ts';
import { sendError } from '../http/error-response.ts';
import { drainBriefly } from '../http/unread-body.ts';
import { type AnswerContext, answerHeaders, platformHeaders, withoutLength } from './forwarded.ts';
import type { Call, Sink } from './invocation.ts';

const toPairs = (flat: readonly string[]): [string, string][] => {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] as string, flat[i + 1] as string]);
  return pairs;
};

export class ResponseSink implements Sink {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #context: AnswerContext;
  #call: Call | undefined;
  #wrote = false;

  constructor(req: IncomingMessage, res: ServerResponse, context: AnswerContext) {
    this.#req = req;
    this.#res = res;
    this.#context = context;
  }

  /** From here on the client's leaving cancels the call. */
  attach(call: Call): void {
    this.#call = call;
    this.#res.once('close', () => call.cancel());
  }

  informational(status: number, headers: string[]): void {
    // HTTP/1.0 clients know no informational answers; to slow readers they would pile up.
    if (this.#req.httpVersionMinor === 0 || this.#res.headersSent || this.#req.socket.writableNeedDrain) return;
    this.#res.writeInformation?.(status, headers);
  }

  head(status: number, statusText: string, headers: string[]): void {
    const res = this.#res;
    const { method, httpVersionMinor } = this.#req;
    const chunkable = httpVersionMinor > 0 && method !== 'HEAD' && status !== 204 && status !== 304;
    const own = status === 204 ? withoutLength(headers) : headers;
    res.writeHead(status, statusText, answerHeaders(own, this.#context, chunkable));
    // Usually data is in the same packet and goes out in one write with the head; a head that comes alone is sent alone.
    queueMicrotask(() => {
      // Not flushHeaders, which encodes Latin-1 values as UTF-8.
      if (!this.#wrote) res.write('', 'latin1');
    });
  }

  data(chunk: Uint8Array): boolean {
    this.#wrote = true;
    if (this.#res.write(chunk)) return true;
    this.#res.once('drain', () => this.#call?.resume());
    return false;
  }

  end(trailers: string[] | undefined): void {
    this.#wrote = true;
    if (trailers !== undefined) this.#res.addTrailers(toPairs(trailers));
    this.#res.end();
    if (!this.#req.complete) drainBriefly(this.#req);
  }

  failed(error: FaasError): void {
    this.#wrote = true;
    // A function that is not there has no call: its answer carries neither id nor time.
    const extra = error.code === 'not-found' ? {} : platformHeaders(this.#context);
    sendError(this.#req, this.#res, error, extra);
    if (!this.#req.complete) drainBriefly(this.#req);
  }
}

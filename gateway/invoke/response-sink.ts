// Writes the answer of a call to an HTTP client as it comes, with back-pressure; cuts the connection of an answer that breaks off.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaasError } from '../../provider/types/errors.ts';
import { sendError } from '../http/error-response.ts';
import type { End } from '../http/turn-ends.ts';
import { drainBriefly } from '../http/unread-body.ts';
import { type AnswerContext, answerHeaders, platformHeaders, withoutLength } from './forwarded.ts';
import type { Call, Sink } from './invocation.ts';
import { endWhole, setHead } from './whole-answer.ts';

const toPairs = (flat: readonly string[]): [string, string][] => {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] as string, flat[i + 1] as string]);
  return pairs;
};

/** Up to here a body is sent as a string with its head. */
const maxJoinedBytes = 4096;

export class ResponseSink implements Sink {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #context: AnswerContext;
  readonly #end: End;
  #call: Call | undefined;
  /** Something of the answer is on its way, or will never be. */
  #wrote = false;
  /** The beginning of the body, until it is clear whether more follows at once. */
  #first: Buffer | undefined;
  #hasLength = false;

  /** @param end of answers that go out in one piece */
  constructor(req: IncomingMessage, res: ServerResponse, context: AnswerContext, end: End) {
    this.#req = req;
    this.#res = res;
    this.#context = context;
    this.#end = end;
  }

  /** From here on the client's leaving cancels the call. */
  attach(call: Call): void {
    this.#call = call;
    // It comes once, and `once` costs more.
    this.#res.on('close', () => call.cancel());
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
    const head = answerHeaders(own, this.#context, chunkable);
    this.#hasLength = head.hasLength && chunkable;
    if (this.#hasLength && res.shouldKeepAlive) setHead(res, status, statusText, head.headers, this.#context.date);
    else res.writeHead(status, statusText, head.headers);
    // Usually data is in the same packet and goes out in one write with the head; a head that comes alone is sent alone.
    process.nextTick(ResponseSink.sendHead, this);
  }

  data(chunk: Uint8Array): boolean {
    // The end is often in the same packet, too: a small answer goes out as one string, which takes half as long as three pieces.
    if (!this.#wrote && this.#first === undefined && chunk.length <= maxJoinedBytes) {
      this.#first = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      return true;
    }
    this.#sendFirst();
    if (this.#res.write(chunk)) return true;
    this.#res.once('drain', () => this.#call?.resume());
    return false;
  }

  /** Sends what was held back: the head is on its way from here on. */
  #sendFirst(): void {
    const first = this.#first;
    this.#first = undefined;
    this.#wrote = true;
    if (first !== undefined) this.#res.write(first);
  }

  static sendHead(sink: ResponseSink): void {
    if (sink.#wrote) return;
    // Not flushHeaders, which encodes Latin-1 values as UTF-8.
    if (sink.#first === undefined) sink.#res.write('', 'latin1');
    sink.#sendFirst();
  }

  end(trailers: string[] | undefined): void {
    const first = this.#first;
    this.#first = undefined;
    this.#wrote = true;
    if (trailers !== undefined) this.#res.addTrailers(toPairs(trailers));
    if (first === undefined) this.#res.end();
    else if (this.#hasLength) endWhole(this.#res, first, this.#end);
    else this.#res.end(first.toString('latin1'), 'latin1');
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

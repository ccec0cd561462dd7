// Calls a handler of event style: OpenFaaS's `(event, context[, callback])`.
import type { IncomingHttpHeaders } from 'node:http';
import { parse } from 'node:querystring';
import { hopByHop } from '../../provider/types/headers.ts';
import { answer } from '../answer.ts';
import type { Call } from '../call.ts';
import { endWith, isAscii, sendHead } from '../latin-head.ts';
import { describeThrown } from '../start-error.ts';
import { WebResponse } from '../web/response.ts';
import { type BodySettings, readEventBody } from './event-body.ts';
import type { EventHandler } from './load.ts';
import { sendResponse } from './send-response.ts';
import { streamOut } from './stream-out.ts';

type Headers = Readonly<Record<string, string | number | readonly string[]>>;
type Settle = (error: unknown, value: unknown) => void;

class FunctionEvent {
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly query: NodeJS.Dict<string | string[]>;
  readonly path: string;

  constructor({ request }: Call, body: unknown) {
    const url = request.url as string;
    const at = url.indexOf('?');
    this.body = body;
    this.headers = request.headers;
    // The template's server takes a request without a type for text, and handlers see that.
    this.headers['content-type'] ??= 'text/plain';
    this.method = request.method as string;
    this.query = at === -1 ? {} : parse(url.slice(at + 1));
    this.path = at === -1 ? url : url.slice(0, at);
  }
}

class FunctionContext {
  statusCode = 200;
  headerValues: Headers = {};
  cbCalled = 0;
  readonly #call: Call;
  readonly #running: EventCall;

  constructor(call: Call, running: EventCall) {
    this.#call = call;
    this.#running = running;
  }

  get cb(): Settle {
    return (error, value) => this.#running.settle(error, value);
  }

  /** Aborted when the caller goes away or the call's time is over. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get callId(): string | undefined {
    return this.#call.callId;
  }

  status(code?: number): number | this {
    if (!code) return this.statusCode;
    this.statusCode = code;
    return this;
  }

  headers(values?: Headers): Headers | this {
    if (!values) return this.headerValues;
    this.headerValues = values;
    return this;
  }

  succeed(value?: unknown): void {
    this.cbCalled += 1;
    this.#running.settle(undefined, value);
  }

  fail(value?: unknown): void {
    this.cbCalled += 1;
    this.#running.settle(value ?? 'the function failed', undefined);
  }
}

type Payload = { readonly body: string | Uint8Array; readonly type: string | undefined };

const isAsyncIterable = (value: object): value is AsyncIterable<Uint8Array | string> => Symbol.asyncIterator in value;

/** Value of a handler as bytes and their type. */
const toPayload = (value: unknown): Payload => {
  if (value === undefined || value === null) return { body: '', type: undefined };
  if (typeof value === 'string') return { body: value, type: 'text/html; charset=utf-8' };
  if (value instanceof Uint8Array) return { body: value, type: 'application/octet-stream' };
  if (value instanceof ArrayBuffer) return { body: new Uint8Array(value), type: 'application/octet-stream' };
  return { body: JSON.stringify(value) ?? '', type: 'application/json; charset=utf-8' };
};

/** The handler's headers as node:http takes them, names and values in turn, without those that frame a connection. */
const headOf = (call: Call, values: Headers, type: string | undefined): string[] => {
  const head = call.duration() as string[];
  let typed = type === undefined;
  for (const name of Object.keys(values)) {
    const lower = name.toLowerCase();
    if (isFraming(lower)) continue;
    typed ||= lower === 'content-type';
    const value = values[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const each of value) head.push(name, String(each));
    else head.push(name, String(value));
  }
  if (!typed) head.push('Content-Type', type as string);
  return head;
};

/** Our own are ASCII. */
const isPlain = (values: Headers): boolean => {
  for (const name in values) if (!isAscii(String(values[name]))) return false;
  return true;
};

const isFraming = (lower: string): boolean => lower === 'content-length' || hopByHop.has(lower);

const isBodiless = (status: number): boolean => status === 204 || status === 304;

const sendValue = (call: Call, context: FunctionContext, value: unknown, writeTimeoutMs: number): Promise<void> | undefined => {
  const { response } = call;
  if (typeof value === 'object' && value !== null) {
    // Not the global of this name: where it is still Node's own, looking at it loads undici.
    if (value instanceof WebResponse) return sendResponse(call, value, writeTimeoutMs);
    if (isAsyncIterable(value)) {
      response.writeHead(context.statusCode, headOf(call, context.headerValues, 'application/octet-stream'));
      sendHead(response);
      return streamOut(response, value);
    }
  }
  const { body, type } = toPayload(value);
  const headers = headOf(call, context.headerValues, type);
  if (!isBodiless(context.statusCode)) headers.push('Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(context.statusCode, headers);
  if (isBodiless(context.statusCode)) response.end();
  else endWith(response, body, isPlain(context.headerValues));
  return undefined;
};

export type EventOptions = {
  readonly handle: EventHandler;
  readonly wantsCallback: boolean;
  readonly body: BodySettings;
  readonly writeTimeoutMs: number;
  readonly printError: (text: string) => void;
};

/** A call whose handler is running; only what settles it first counts. */
class EventCall {
  readonly #call: Call;
  readonly #options: EventOptions;
  readonly #context: FunctionContext;
  #settled = false;

  constructor(call: Call, options: EventOptions) {
    this.#call = call;
    this.#options = options;
    this.#context = new FunctionContext(call, this);
  }

  run(body: unknown): void {
    const callback = (error?: unknown, value?: unknown): void => {
      this.#context.cbCalled += 1;
      this.settle(error, value);
    };
    let result: unknown;
    try {
      result = this.#options.handle(new FunctionEvent(this.#call, body), this.#context, callback);
    } catch (error) {
      this.crash(error);
      return;
    }
    if (isThenable(result))
      result.then(
        (value) => this.finish(value),
        (error: unknown) => this.crash(error),
      );
    else if (result !== undefined || !this.#options.wantsCallback) this.finish(result);
  }

  /** What the handler returned; a handler that has answered already returns nothing that matters. */
  finish(value: unknown): void {
    if (!this.#settled) this.settle(undefined, value);
  }

  settle(error: unknown, value: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#call.over) return;
    if (error !== undefined && error !== null) this.#fail(String(error));
    else this.#send(value);
  }

  /** The handler threw: its stack is for the log, the message for the caller. */
  crash(error: unknown): void {
    this.#options.printError(describeThrown(error));
    if (this.#settled) return;
    this.#settled = true;
    if (this.#call.over) return;
    if (this.#context.statusCode < 400) this.#context.statusCode = 500;
    this.#fail(String(error));
  }

  #send(value: unknown): void {
    try {
      const sending = sendValue(this.#call, this.#context, value, this.#options.writeTimeoutMs);
      sending?.catch((error: unknown) => this.#cut(error));
    } catch (error) {
      this.#cut(error);
    }
  }

  #fail(text: string): void {
    const { response } = this.#call;
    const status = this.#context.statusCode === 200 ? 500 : this.#context.statusCode;
    const [name, seconds] = this.#call.duration();
    try {
      response.writeHead(status, {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': Buffer.byteLength(text),
        [name]: seconds,
      });
      response.end(text);
    } catch (error) {
      this.#cut(error);
    }
  }

  /** What the handler gave cannot be sent. */
  #cut(error: unknown): void {
    this.#options.printError(describeThrown(error));
    answer(this.#call.response, 500, String(error));
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

export const createEventCaller =
  (options: EventOptions): ((call: Call) => void) =>
  (call) => {
    readEventBody(call.request, options.body, (error, body) => {
      if (call.over) return;
      if (error === undefined) new EventCall(call, options).run(body);
      else answer(call.response, error.status, error.message);
    });
  };

// The Request that a handler of web style gets: reads from the HTTP message only what the handler asks for.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Call } from '../call.ts';
import { hasBody, readBody } from '../read-body.ts';
import type { BodySource } from './extract.ts';
import { WebHeaders } from './headers.ts';
import { RequestBase, type WebRequestInit } from './request.ts';

/** Paths that the URL parser would give back as they are. */
const plainPath = /^\/(?:[\w\-/?=&%~:@!$()*+,;]|\.(?![./]|$))*$/;
const plainHost = /^[a-z\d](?:[a-z\d.-]*[a-z\d])?(?::(?!80$)[1-9]\d{0,4})?$/;

const urlOf = (message: IncomingMessage): string => {
  const host = message.headers.host ?? '';
  const path = message.url ?? '/';
  if (plainHost.test(host) && plainPath.test(path)) return `http://${host}${path}`;
  const text = `http://${host === '' ? 'localhost' : host}${path.startsWith('/') ? path : `/${path}`}`;
  return URL.canParse(text) ? new URL(text).href : new URL(path.startsWith('/') ? path : `/${path}`, 'http://localhost').href;
};

const noOptions: WebRequestInit = Object.freeze({});

const mayRead = (message: IncomingMessage): boolean => message.method !== 'GET' && message.method !== 'HEAD' && hasBody(message);

export class IncomingRequest extends RequestBase {
  readonly #call: Call;
  #url: string | undefined;
  #headers: WebHeaders | undefined;

  constructor(call: Call) {
    super(null);
    this.#call = call;
  }

  override get url(): string {
    this.#url ??= urlOf(this.#call.request);
    return this.#url;
  }

  override get method(): string {
    return this.#call.request.method as string;
  }

  override get headers(): WebHeaders {
    this.#headers ??= WebHeaders.fromFlat(this.#call.request.rawHeaders.slice());
    return this.#headers;
  }

  override get signal(): AbortSignal {
    return this.#call.signal;
  }

  protected override get options(): WebRequestInit {
    return noOptions;
  }

  protected override openStream(): ReadableStream<Uint8Array> | null {
    const { request } = this.#call;
    return mayRead(request) ? (Readable.toWeb(request) as unknown as ReadableStream<Uint8Array>) : null;
  }

  protected override shareBody(): BodySource {
    void this.body;
    return super.shareBody();
  }

  protected override readSource(source: BodySource): Promise<string | Uint8Array> {
    const { request } = this.#call;
    if (source !== null) return super.readSource(source);
    if (!mayRead(request)) return Promise.resolve('');
    return new Promise((resolve, reject) => {
      readBody(request, Number.POSITIVE_INFINITY, (error, body) => (error === undefined ? resolve(body) : reject(error)));
    });
  }
}

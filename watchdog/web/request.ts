// Request as the Fetch standard has it, for handlers that make their own; the one that a handler gets is in incoming.ts.
import { WebBody } from './body.ts';
import { type BodyInput, type BodySource, extractBody } from './extract.ts';
import { type HeadersInput, WebHeaders } from './headers.ts';

export type WebRequestInit = {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: BodyInput;
  readonly signal?: AbortSignal | null;
  readonly cache?: string;
  readonly credentials?: string;
  readonly integrity?: string;
  readonly keepalive?: boolean;
  readonly mode?: string;
  readonly redirect?: string;
  readonly referrer?: string;
  readonly referrerPolicy?: string;
  readonly duplex?: string;
  readonly dispatcher?: unknown;
};

const optionNames = ['cache', 'credentials', 'integrity', 'keepalive', 'mode', 'redirect', 'referrer', 'referrerPolicy'] as const;

const standardMethods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH']);
const methodToken = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

const checkMethod = (method: string): string => {
  const upper = method.toUpperCase();
  if (!methodToken.test(method) || upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') {
    throw new TypeError(`Request: ${JSON.stringify(method)} is not a method that a request may have`);
  }
  return standardMethods.has(upper) ? upper : method;
};

/** What `fetch` needs to send a request of ours. */
export type RequestParts = { readonly url: string; readonly init: Record<string, unknown> };

/** All of Request but where its parts come from. */
export abstract class RequestBase extends WebBody {
  abstract get url(): string;
  abstract get method(): string;
  abstract get signal(): AbortSignal;
  protected abstract get options(): WebRequestInit;

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  get cache(): string {
    return this.options.cache ?? 'default';
  }

  get credentials(): string {
    return this.options.credentials ?? 'same-origin';
  }

  get destination(): string {
    return '';
  }

  get duplex(): string {
    return 'half';
  }

  get integrity(): string {
    return this.options.integrity ?? '';
  }

  get keepalive(): boolean {
    return this.options.keepalive ?? false;
  }

  get mode(): string {
    return this.options.mode ?? 'cors';
  }

  get redirect(): string {
    return this.options.redirect ?? 'follow';
  }

  get referrer(): string {
    return this.options.referrer ?? 'about:client';
  }

  get referrerPolicy(): string {
    return this.options.referrerPolicy ?? '';
  }

  clone(): WebRequest {
    const { method, headers, signal } = this;
    const copy: WebRequestInit = { ...this.options, method, headers, signal };
    const body = method === 'GET' || method === 'HEAD' ? undefined : this.shareBody();
    return new WebRequest(this.url, { ...copy, body });
  }

  /** Its parts for the native `fetch`; the body is used afterwards. */
  static partsOf(request: RequestBase): RequestParts {
    const init: Record<string, unknown> = { ...request.options };
    Object.assign(init, { method: request.method, headers: [...request.headers], signal: request.signal });
    if (request.body === null) return { url: request.url, init };
    return { url: request.url, init: { ...init, body: request.takeBody(), duplex: 'half' } };
  }

  /** The body for a request made from this one. */
  static bodyOf(request: RequestBase): BodySource {
    return request.body === null ? null : request.takeBody();
  }
}

export const isRequest = (value: unknown): value is RequestBase => value instanceof RequestBase;

const optionsOf = (request: RequestBase): WebRequestInit => {
  const options: Record<string, unknown> = {};
  for (const name of optionNames) options[name] = request[name];
  return options as WebRequestInit;
};

const bodyOf = (method: string, init: WebRequestInit, from: RequestBase | undefined): ReturnType<typeof extractBody> => {
  if (init.body === undefined || init.body === null) {
    return { source: from === undefined ? null : RequestBase.bodyOf(from), type: undefined };
  }
  if (method === 'GET' || method === 'HEAD') throw new TypeError(`Request: a ${method} request has no body`);
  return extractBody(init.body);
};

export class WebRequest extends RequestBase {
  readonly #url: string;
  readonly #method: string;
  readonly #headers: WebHeaders;
  readonly #signal: AbortSignal;
  readonly #options: WebRequestInit;

  constructor(input: string | URL | RequestBase, init: WebRequestInit = {}) {
    const from = isRequest(input) ? input : undefined;
    const method = checkMethod(String(init.method ?? from?.method ?? 'GET'));
    const { source, type } = bodyOf(method, init, from);
    super(source);
    this.#url = from?.url ?? new URL(String(input)).href;
    this.#method = method;
    this.#headers = new WebHeaders(init.headers ?? from?.headers);
    if (type !== undefined && !this.#headers.has('content-type')) this.#headers.append('Content-Type', type);
    this.#signal = init.signal ?? from?.signal ?? new AbortController().signal;
    this.#options = from === undefined ? init : { ...optionsOf(from), ...init };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Request]';
  }

  override get url(): string {
    return this.#url;
  }

  override get method(): string {
    return this.#method;
  }

  override get headers(): WebHeaders {
    return this.#headers;
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }

  protected override get options(): WebRequestInit {
    return this.#options;
  }
}

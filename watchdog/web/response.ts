// Response as the Fetch standard has it: a status, a flat list of headers and a body that is still what the handler gave.
import { WebBody } from './body.ts';
import { type BodyInput, type BodySource, extractBody } from './extract.ts';
import { type HeadersInput, WebHeaders } from './headers.ts';

export type WebResponseInit = { readonly status?: number; readonly statusText?: string; readonly headers?: HeadersInput };

/** What is needed to send a response; the headers are names and values in turn. */
export type ResponseParts = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: string[];
  readonly body: BodySource;
};

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304 || status === 101;

const checkStatus = (status: number): number => {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`Response: expected a status from 200 to 599, got ${status}`);
  }
  return status;
};

const checkStatusText = (text: string): string => {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new TypeError(`Response: ${JSON.stringify(text)} is not a legal status text`);
  return text;
};

const hasContentType = (flat: readonly string[]): boolean => {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (name.length === 12 && name.toLowerCase() === 'content-type') return true;
  }
  return false;
};

export class WebResponse extends WebBody {
  #status = 200;
  #statusText = '';
  #headers: WebHeaders;
  #isError = false;

  constructor(body?: BodyInput, init?: WebResponseInit) {
    const fast = typeof body === 'string';
    const extracted = fast ? undefined : extractBody(body);
    super(fast ? body : (extracted as { source: BodySource }).source);
    const headers = new WebHeaders(init?.headers);
    this.#headers = headers;
    if (init !== undefined && init !== null) {
      if (init.status !== undefined) this.#status = checkStatus(Number(init.status));
      if (init.statusText !== undefined) this.#statusText = checkStatusText(String(init.statusText));
    }
    if (body === undefined || body === null) return;
    if (hasNoBody(this.#status)) throw new TypeError(`Response: a response with status ${this.#status} has no body`);
    const type = fast ? 'text/plain;charset=UTF-8' : extracted?.type;
    const flat = WebHeaders.flatOf(headers);
    if (type !== undefined && !hasContentType(flat)) flat.push('Content-Type', type);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Response]';
  }

  static json(value: unknown, init?: WebResponseInit): WebResponse {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('Response.json: expected a value that JSON can hold');
    const response = new WebResponse(text, init);
    if (!new WebHeaders(init?.headers).has('content-type')) response.#headers.set('Content-Type', 'application/json');
    return response;
  }

  static redirect(url: string | URL, status = 302): WebResponse {
    if (!redirects.has(status)) throw new RangeError(`Response.redirect: expected 301, 302, 303, 307 or 308, got ${status}`);
    return new WebResponse(null, { status, headers: { Location: new URL(String(url)).href } });
  }

  static error(): WebResponse {
    const response = new WebResponse();
    response.#status = 0;
    response.#isError = true;
    return response;
  }

  /** Its parts to be sent; the body is used afterwards. @throws TypeError when the body was read before */
  static partsOf(response: WebResponse): ResponseParts {
    return {
      status: response.#status,
      statusText: response.#statusText,
      headers: WebHeaders.flatOf(response.#headers),
      body: response.takeBody(),
    };
  }

  static isOurs(value: object): value is WebResponse {
    return #isError in value;
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }

  override get headers(): WebHeaders {
    return this.#headers;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  get redirected(): boolean {
    return false;
  }

  get type(): string {
    return this.#isError ? 'error' : 'default';
  }

  get url(): string {
    return '';
  }

  clone(): WebResponse {
    const body = this.shareBody();
    const copy = new WebResponse(body, { statusText: this.#statusText, headers: this.#headers });
    copy.#status = this.#status;
    return copy;
  }
}

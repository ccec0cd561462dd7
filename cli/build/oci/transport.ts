// Single requests to a registry and wherever it redirects to.
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { isFaasError } from '../../../provider/types/errors.ts';
import type { Environment } from './credentials.ts';
import { type Attempted, connectionError, transient } from './registry-error.ts';
import { isPassingError } from './retry.ts';

export type Call = {
  readonly attempted: Attempted;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path on the registry, or a whole address that it gave. */
  readonly at: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened anew for every attempt. */
  readonly body?: (() => Promise<Readable | Buffer>) | undefined;
  readonly scopes: readonly string[];
  /** Statuses that are answers; any other is an error. */
  readonly expect: readonly number[];
  /** Try once only: the caller repeats from further back. */
  readonly once?: boolean;
};

export type Reply = {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Dispatcher.ResponseData['body'];
};

export type Transport = {
  readonly dispatcher: Dispatcher;
  /** @throws unavailable when no answer came */
  follow(call: Call, authorization: string | undefined): Promise<Reply>;
};

const headersTimeoutMs = 60_000;
const maxRedirects = 5;

export const headerOf = ({ headers }: Reply, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const createDispatcher = (base: string, env: Environment): Dispatcher => {
  const options = { headersTimeout: headersTimeoutMs, bodyTimeout: headersTimeoutMs, connections: 8 };
  const httpProxy = env.http_proxy ?? env.HTTP_PROXY;
  const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY;
  const isLocal = /^http:\/\/(localhost|127\.|\[::1\])/.test(base);
  if (isLocal || (!httpProxy && !httpsProxy)) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  });
};

/** @param base origin of the registry */
export const createTransport = (base: string, env: Environment, signal: AbortSignal): Transport => {
  const dispatcher = createDispatcher(base, env);

  const transfer = async (call: Call, url: URL, authorization: string | undefined): Promise<Reply> => {
    const body = call.body === undefined ? undefined : await call.body();
    // What the registry redirects to, a storage service say, has no business with the registry's login.
    const isOwn = url.origin === new URL(base).origin;
    const headers = { ...call.headers, ...(authorization !== undefined && isOwn ? { authorization } : {}) };
    try {
      const {
        statusCode,
        headers: answered,
        body: content,
      } = await request(url, {
        method: call.method,
        headers,
        ...(body === undefined ? {} : { body }),
        dispatcher,
        signal,
      });
      return { status: statusCode, headers: answered, body: content };
    } catch (error) {
      signal.throwIfAborted();
      // What was to be sent could not be read.
      if (isFaasError(error)) throw error;
      const failure = connectionError(call.attempted, error);
      throw isPassingError(error) ? transient(failure) : failure;
    }
  };

  const follow = async (call: Call, authorization: string | undefined): Promise<Reply> => {
    let url = new URL(call.at, base);
    for (let count = 0; ; count += 1) {
      const reply = await transfer(call, url, authorization);
      const location = headerOf(reply, 'location');
      const isRedirect = [301, 302, 303, 307, 308].includes(reply.status) && ['GET', 'HEAD'].includes(call.method);
      if (!isRedirect || location === undefined || count === maxRedirects) return reply;
      await reply.body.dump();
      url = new URL(location, url);
    }
  };

  return { dispatcher, follow };
};

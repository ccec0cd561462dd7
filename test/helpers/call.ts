// One HTTP request with nothing done to it on the way: no redirects, no decoding, no header but those given.
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Address } from '../../provider/provider.ts';

export type CallOptions = {
  readonly method?: string;
  /** Path and query. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** A connection of its own when absent. */
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
};

export type CallAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly text: string;
};

const target = (to: Address | string): { socketPath: string } | { host: string; port: number } => {
  if (typeof to !== 'string') return to;
  const url = new URL(to);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
};

/**
 * @param to an address, or a URL of which host and port count
 * @throws Error when the connection fails or is cut before the answer is complete
 */
export const call = async (to: Address | string, options: CallOptions = {}): Promise<CallAnswer> => {
  const { method = 'GET', path = '/', headers, body, agent, signal, timeoutMs = 30_000 } = options;
  const { promise, resolve, reject } = Promise.withResolvers<CallAnswer>();
  const names = new Set(Object.keys(headers ?? {}).map((name) => name.toLowerCase()));
  // Node frames no body of a DELETE or OPTIONS by itself.
  const framed = body === undefined || names.has('content-length') || names.has('transfer-encoding');
  const framing = framed ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const outgoing = request({
    ...target(to),
    method,
    path,
    headers: { ...framing, ...headers } as Record<string, string | string[]>,
    agent: agent ?? false,
    signal,
  });
  const timer = setTimeout(() => outgoing.destroy(new Error(`${method} ${path}: no answer within ${timeoutMs} ms`)), timeoutMs);
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => {
    buffer(incoming).then((bytes) => {
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        rawHeaders: incoming.rawHeaders,
        trailers: incoming.trailers,
        body: bytes,
        text: bytes.toString(),
      });
    }, reject);
  });
  outgoing.end(body);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
};

// Which headers go on to the function's server and come back from it.
import type { IncomingMessage } from 'node:http';
import { hopByHop, namedByConnection } from '../provider/types/headers.ts';

const isDropped = (lower: string, named: readonly string[]): boolean =>
  hopByHop.has(lower) || (named.length > 0 && named.includes(lower));

/** Of a message, or of an informational answer. */
type Head = { readonly rawHeaders: readonly string[]; readonly headers: { readonly connection?: string | undefined } };

/**
 * Names and values in turn without those that belong to one connection.
 * @param canTrail trailers can follow on the other side, too, and may be announced
 */
export const endToEnd = ({ rawHeaders: flat, headers: { connection } }: Head, canTrail = false): string[] => {
  const named = connection === undefined ? [] : namedByConnection(connection);
  const headers: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    const lower = name.toLowerCase();
    if (!isDropped(lower, named) || (canTrail && lower === 'trailer')) headers.push(name, flat[i + 1] as string);
  }
  return headers;
};

/** What came behind a body that has ended, in pairs, without what would say how long it was. */
export const trailersOf = ({ rawTrailers: flat }: IncomingMessage): [string, string][] => {
  const trailers: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    const lower = name.toLowerCase();
    if (lower !== 'content-length' && !hopByHop.has(lower)) trailers.push([name, flat[i + 1] as string]);
  }
  return trailers;
};

/** Methods whose requests node:http sends without a length when they have no body; with others it announces one in chunks. */
const unframed: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Headers of a request for the function's server: the framing is ours, all else is the client's. */
export const requestHeaders = (request: IncomingMessage, bodyBytes?: number): string[] => {
  const isChunked = request.headers['transfer-encoding'] !== undefined && bodyBytes === undefined;
  const headers = endToEnd(request, isChunked);
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const lower = (headers[i] as string).toLowerCase();
    // node:http has answered `Expect` itself.
    if (lower === 'expect' || (bodyBytes !== undefined && lower === 'content-length')) headers.splice(i, 2);
  }
  if (request.headers.host === undefined) headers.push('Host', 'localhost');
  if (bodyBytes !== undefined) headers.push('Content-Length', String(bodyBytes));
  else if (isChunked) headers.push('Transfer-Encoding', 'chunked');
  else if (request.headers['content-length'] === undefined && !unframed.has(request.method as string)) {
    headers.push('Content-Length', '0');
  }
  return headers;
};

// Which headers go on to the function's server and come back from it.
import type { IncomingMessage } from 'node:http';
import { hopByHop, namedByConnection } from '../provider/types/headers.ts';

const isDropped = (lower: string, named: readonly string[]): boolean =>
  hopByHop.has(lower) || (named.length > 0 && named.includes(lower));

/** Names and values in turn without those that belong to one connection. */
export const endToEnd = (message: IncomingMessage): string[] => {
  const flat = message.rawHeaders;
  const { connection } = message.headers;
  const named = connection === undefined ? [] : namedByConnection(connection);
  const headers: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (!isDropped(name.toLowerCase(), named)) headers.push(name, flat[i + 1] as string);
  }
  return headers;
};

/** Headers of a request for the function's server: the framing is ours, all else is the client's. */
export const requestHeaders = (request: IncomingMessage, bodyBytes?: number): string[] => {
  const headers = endToEnd(request);
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const lower = (headers[i] as string).toLowerCase();
    // node:http has answered `Expect` itself.
    if (lower === 'expect' || (bodyBytes !== undefined && lower === 'content-length')) headers.splice(i, 2);
  }
  if (request.headers.host === undefined) headers.push('Host', 'localhost');
  if (bodyBytes !== undefined) headers.push('Content-Length', String(bodyBytes));
  else if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
  return headers;
};

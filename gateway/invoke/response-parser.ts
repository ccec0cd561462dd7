// undici's reader of answers serves clients; a proxy asks a little more of it. Its own functions are put around here, once a
// connection: a `100 Continue` that nobody asked for is passed over (undici gives up the connection), and a reason phrase is
// kept byte for byte, in one piece or in several (undici decodes it as UTF-8 and keeps the last piece).
import type { Socket } from 'node:net';

type Parser = {
  statusCode: number;
  statusText: string;
  headers: unknown[];
  headersSize: number;
  onStatus(bytes: Buffer): number;
  onHeadersComplete(status: number, upgrade: boolean, keepAlive: boolean): number;
};

/** What llhttp takes for: this message has no body. */
const withoutBody = 1;

const parserOf = (socket: Socket): Parser | undefined => {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'parser');
  return key === undefined ? undefined : ((socket as unknown as Record<symbol, unknown>)[key] as Parser);
};

/** Call it when undici has taken the socket. */
export const readAsProxy = (socket: Socket): void => {
  const parser = parserOf(socket);
  if (parser === undefined) return;
  const { onHeadersComplete } = parser;
  parser.onStatus = (bytes) => {
    parser.statusText += bytes.toString('latin1');
    return 0;
  };
  parser.onHeadersComplete = (status, upgrade, keepAlive) => {
    if (status !== 100) return onHeadersComplete.call(parser, status, upgrade, keepAlive);
    parser.statusCode = status;
    parser.headers = [];
    parser.headersSize = 0;
    return withoutBody;
  };
};

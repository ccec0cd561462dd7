// What a case of the table is, and what its bytes are made of.
import assert from 'node:assert/strict';
import type { RawAnswer } from '../../helpers/raw-client.ts';
import type { RawRequest, Script } from '../../helpers/recorder.ts';

/**
 * Bytes to send; or: wait until the client has heard a text, until the function has seen one, or for a while, where nothing
 * shows that the bytes before have been read; or end the sending side.
 */
export type Step =
  | string
  | { readonly heard: string }
  | { readonly seen: string }
  | { readonly waitMs: number }
  | { readonly end: true };

export type HostileCase = {
  readonly name: string;
  readonly send: Step | readonly Step[];
  /** Methods of the requests that are answered, in order; default POST for each answer. Only HEAD matters. */
  readonly methods?: readonly string[];
  /** `200 function`; `400 gateway invalid` is status, `X-OpenFaaS-Internal` and `X-Error-Code`; `cut` is no whole answer. */
  readonly answers: readonly string[];
  /** What else holds for each answer. */
  readonly check?: readonly ((answer: RawAnswer) => void)[];
  /** The client's connection afterwards; on a kept one another call is made. */
  readonly after: 'closed' | 'kept';
  /** Every byte that the function may see of it, less what differs from call to call. */
  readonly upstream: string;
  /** How the function answers; default 200 with the method and the path of the request. */
  readonly function?: (request: RawRequest) => Script;
  readonly headersTimeoutMs?: number;
  /** How long a call may take. */
  readonly timeoutMs?: number;
};

type Framing = { readonly host?: string; readonly headers?: readonly string[]; readonly end?: string };

/** A request as the gateway sends it on. @param end framing headers, the empty line, and the body */
export const forwarded = (line: string, { host = 'h', headers = [], end = '\r\n' }: Framing = {}): string =>
  [
    `${line} HTTP/1.1`,
    `host: ${host}`,
    'connection: keep-alive',
    ...headers,
    'X-Call-Id: <id>',
    'X-Start-Time: <time>',
    'X-Forwarded-For: <remote>',
    `X-Forwarded-Host: ${host}`,
    'User-Agent: sluice/1.2.3',
    end,
  ].join('\r\n');

export const ofLength = (body: string): string => `content-length: ${body.length}\r\n\r\n${body}`;

export const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

export const inChunks = (...texts: string[]): string => `transfer-encoding: chunked\r\n\r\n${texts.map(chunk).join('')}0\r\n\r\n`;

export const ask = (line: string, headers: readonly string[], body = '', version = '1.1'): string =>
  `${line} HTTP/${version}\r\nHost: h\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n${body}`;

export const post = (headers: readonly string[], body = '', version?: string): string =>
  ask('POST /function/fn/x', headers, body, version);

export const get = (headers: readonly string[] = [], path = '/x'): string => ask(`GET /function/fn${path}`, headers);

export const refused = { answers: ['400 gateway invalid'], after: 'closed', upstream: '' } as const;

export const passed = { answers: ['200 function'], after: 'kept' } as const;

export const broken = { answers: ['502 gateway upstream'], after: 'kept' } as const;

/** A whole request in the place of a body. */
export const inner = 'GET /function/fn/inner HTTP/1.1\r\nHost: h\r\n\r\n';

export const chunked = 'Transfer-Encoding: chunked';

export const hello = (path = '/x', method = 'GET'): ((answer: RawAnswer) => void) => {
  return (answer) => assert.equal(answer.body, `answer to ${method} ${path}`);
};

/** The function answers these bytes. */
export const says = (bytes: string | readonly string[], afterwards?: Script['afterwards'], at?: Script['at']): (() => Script) => {
  return () => ({ bytes, ...(afterwards === undefined ? {} : { afterwards }), ...(at === undefined ? {} : { at }) });
};

/** What a browser sends to open a WebSocket. */
export const handshake = (headers: readonly string[], body = '', line = 'GET /function/fn/x'): string =>
  ask(line, ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: a', ...headers], body);

export const socketHeaders = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: a'];

/** The handshake of `handshake([])` as it is handed over: in its order, what belongs to a connection last. */
export const handedOver = [
  'GET /x HTTP/1.1',
  'Host: h',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: a',
  'X-Call-Id: <id>',
  'X-Start-Time: <time>',
  'X-Forwarded-For: <remote>',
  'X-Forwarded-Host: h',
  'User-Agent: sluice/1.2.3',
  'Connection: Upgrade',
  'Upgrade: websocket',
  '\r\n',
].join('\r\n');

// The gateway's REST API as the commands see it: one call, its answer, failures as FaasError.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { FaasError, fromWire } from '../../provider/types/errors.ts';
import { errorCodeHeader } from '../../provider/types/headers.ts';
import type { Environment } from '../context.ts';
import { send } from './transport.ts';

export type Call = {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
  readonly body?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the response head; the default is the client's. 0 means no limit. */
  readonly timeoutMs?: number;
};

export type Reply = { readonly status: number; readonly errorCode: string | undefined; readonly body: string };

export type Client = {
  readonly gateway: string;
  readonly call: (method: string, path: string, call?: Call) => Promise<Reply>;
  /** For answers that are read as they come. */
  readonly open: (method: string, path: string, call?: Call) => Promise<IncomingMessage>;
};

export type ClientParts = {
  readonly gateway: string;
  readonly authorization: string | undefined;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly tlsNoVerify: boolean;
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Told about every request when FAAS_DEBUG=1. */
  readonly trace?: ((line: string) => void) | undefined;
};

export const errorCodeOf = (response: IncomingMessage): string | undefined => {
  const value = response.headers[errorCodeHeader.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
};

const toQuery = (query: Call['query']): string => {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined && value !== '') params.append(key, value);
  const written = params.toString();
  return written === '' ? '' : `?${written}`;
};

export const createClient = (parts: ClientParts): Client => {
  const open = (method: string, path: string, call: Call = {}): Promise<IncomingMessage> => {
    const body = call.json === undefined ? call.body : Buffer.from(JSON.stringify(call.json));
    const headers: Record<string, string> = { 'User-Agent': parts.userAgent, ...call.headers };
    if (parts.authorization !== undefined) headers.Authorization = parts.authorization;
    if (call.json !== undefined) headers['Content-Type'] = 'application/json';
    if (Buffer.isBuffer(body)) headers['Content-Length'] = String(body.length);
    const url = `${parts.gateway}${path}${toQuery(call.query)}`;
    // Secrets' values stay out of the terminal.
    parts.trace?.(`${method} ${url}${Buffer.isBuffer(body) && !path.includes('/secrets') ? ` ${body}` : ''}`);
    const { signal, tlsNoVerify, env } = parts;
    return send({ method, url, headers, body, signal, tlsNoVerify, env, timeoutMs: call.timeoutMs ?? parts.timeoutMs });
  };
  const call = async (method: string, path: string, options?: Call): Promise<Reply> => {
    const response = await open(method, path, options);
    return { status: response.statusCode ?? 0, errorCode: errorCodeOf(response), body: await text(response) };
  };
  return { gateway: parts.gateway, call, open };
};

/**
 * The error behind an answer that was not wanted; its cause is the gateway's own.
 * @param what the attempt, such as `deploying hello`
 */
export const failureOf = (client: Client, reply: Reply, what: string): FaasError => {
  const error = fromWire(reply.status, reply.errorCode, reply.body);
  if (reply.status === 401) {
    const hint = `the gateway refused the credentials (401); log in with: sluice login --gateway ${client.gateway}`;
    return new FaasError('unauthorized', `${what}: ${hint}`);
  }
  const told = reply.body.trim() === '' ? `the gateway answered ${reply.status}` : `${reply.status}: ${error.message}`;
  return new FaasError(error.code, `${what}: ${told}`, { cause: error });
};

/** @throws what the gateway said, unless the status is one of `wanted` */
export const expectStatus = (client: Client, reply: Reply, wanted: readonly number[], what: string): void => {
  if (!wanted.includes(reply.status)) throw failureOf(client, reply, what);
};

/** @throws upstream when the body is no JSON, which means that no gateway is behind the address */
export const parseBody = (client: Client, reply: Reply, what: string): unknown => {
  try {
    return JSON.parse(reply.body);
  } catch (cause) {
    throw new FaasError('upstream', `${what}: expected JSON from ${client.gateway}, is it a function gateway?`, { cause });
  }
};

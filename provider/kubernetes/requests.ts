// Requests to the API server: HTTP/1.1, over connections that are kept and noticed when they die.
import type { IncomingMessage, Agent as PlainAgentOf, RequestOptions } from 'node:http';
import type { Agent as TlsAgentOf } from 'node:https';
import { PlainAgent, requestPlain, requestTls, TlsAgent } from './node-http.ts';

export type TlsOptions = {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  rejectUnauthorized?: boolean;
  servername?: string;
};

export type KubeAgent = PlainAgentOf | TlsAgentOf;

/**
 * A connection that is silent for so long is asked about by the kernel, every second; ten questions without an answer end it.
 * This costs no request.
 */
const keepAliveMs = 5000;

/** A connection that nobody uses is closed before the API server, or what stands in front of it, does that. */
const idleMs = 4000;
const connectMs = 5000;
const headMs = 30_000;

/** @param connections that are open at once at the most; further requests wait for one of them */
export const createAgent = (server: URL, tls: TlsOptions, connections: number): KubeAgent => {
  const options = { keepAlive: true, keepAliveMsecs: keepAliveMs, timeout: idleMs, maxSockets: connections };
  return server.protocol === 'http:'
    ? new PlainAgent(options)
    : new TlsAgent({ ...options, ALPNProtocols: ['http/1.1'], ...tls });
};

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** It was closed in the moment in which it was to be used again. */
const wasStale = (reused: boolean, error: Error & { code?: string }): boolean => reused && error.code === 'ECONNRESET';

/** The head of the answer, with its body still to be read. @throws Error when there is none, or the reason of the signal */
export const ask = (server: URL, agent: KubeAgent, asked: Asked): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { method, path, body, signal } = asked;
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const options: RequestOptions = { agent, method, path, headers: { ...asked.headers, ...length } };
    if (signal !== undefined) options.signal = signal;
    const outgoing = server.protocol === 'http:' ? requestPlain(server, options) : requestTls(server, options);
    const giveUp = (what: string, ms: number): NodeJS.Timeout =>
      setTimeout(() => outgoing.destroy(new Error(`${what} of ${server.host} within ${ms / 1000} s`)), ms);
    const answerTimer = giveUp('no answer', headMs);
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return;
      const timer = giveUp('no connection', connectMs);
      socket.once(server.protocol === 'http:' ? 'connect' : 'secureConnect', () => clearTimeout(timer));
      socket.once('close', () => clearTimeout(timer));
    });
    outgoing.on('response', (answer) => {
      clearTimeout(answerTimer);
      resolve(answer);
    });
    outgoing.on('error', (error) => {
      clearTimeout(answerTimer);
      if (signal?.aborted) reject(signal.reason);
      else if (method === 'GET' && wasStale(outgoing.reusedSocket, error)) resolve(ask(server, agent, asked));
      else reject(error);
    });
    outgoing.end(body);
  });

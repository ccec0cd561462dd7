// The HTTP server in front of a function: health, readiness and metrics are answered here, the rest are calls.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answer } from './answer.ts';
import { Call, limitOf } from './call.ts';
import type { Config } from './config.ts';
import { accessLine, isProbe, type Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { hasBody } from './read-body.ts';
import type { Runner } from './runners/runner.ts';

/** Answers a path under `/_/` that only one way of starting has; true when it did. */
export type ControlRoute = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

export type FrontParts = {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly control?: ControlRoute;
  /** Whether something outside, such as the lock file, lets us be healthy. */
  readonly healthy?: () => boolean;
};

export type Front = {
  readonly server: Server;
  /** From now on calls reach the runner. */
  serve(config: Config, runner: Runner): void;
  /** Health and readiness say no from now on; calls are still served. */
  refuse(): void;
  /** Stops listening and waits for the running calls, `limitMs` at most; resolves with the number of calls that were cut. */
  drain(limitMs: number): Promise<number>;
  /** Answers every running call with 500, synchronously: the process is about to end. */
  failAll(text: string): void;
  inFlight(): number;
};

const maxHeaderBytes = 1024 * 1024;

const only = (method: string, request: IncomingMessage, response: ServerResponse): boolean => {
  if (request.method === method) return true;
  answer(response, 405, `method: expected ${method}, got ${request.method}`, ['Allow', method]);
  return false;
};

const plain = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
};

export const createFront = ({ log, metrics, control, healthy = () => true }: FrontParts): Front => {
  const calls = new Set<Call>();
  let config: Config | undefined;
  let runner: Runner | undefined;
  let accepting = false;
  let draining = false;
  let drained: (() => void) | undefined;

  const onEnd = (call: Call): void => {
    calls.delete(call);
    const seconds = (performance.now() - call.startedMs) / 1000;
    metrics.observe(call.request.method as string, call.response.statusCode, seconds);
    if (config?.accessLog === true) logAccess(call, config, seconds);
    if (!draining) return;
    call.request.socket?.destroySoon();
    if (calls.size === 0) drained?.();
  };

  const logAccess = (call: Call, { logCallId }: Config, seconds: number): void => {
    const { request, response } = call;
    if (isProbe(request.headers)) return;
    const callId = logCallId ? (call.callId ?? 'none') : undefined;
    const { statusCode: status, statusMessage: statusText } = response;
    const length = response.getHeader('content-length') ?? lengthSent(response);
    log(
      accessLine({ method: request.method as string, uri: request.url as string, status, statusText, length, seconds, callId }),
    );
  };

  const answerReady = (request: IncomingMessage, response: ServerResponse): void => {
    if (config === undefined || runner === undefined || !accepting || !healthy() || !runner.ready()) plain(response, 503, '');
    else if (config.maxInflight > 0 && calls.size >= config.maxInflight) plain(response, 429, '');
    else if (config.readyPath === '') plain(response, 200, '');
    else {
      request.url = config.readyPath.startsWith('/') ? config.readyPath : `/${config.readyPath}`;
      const call = new Call(request, response, undefined);
      call.limit(config.execTimeoutMs, 'exec_timeout');
      runner.handle(call);
    }
  };

  const isControl = (path: string, request: IncomingMessage, response: ServerResponse): boolean => {
    const end = path.indexOf('?');
    const name = end === -1 ? path : path.slice(0, end);
    if (name === '/_/health') {
      const well = accepting && healthy();
      if (only('GET', request, response)) plain(response, well ? 200 : 503, well ? 'OK' : '');
      return true;
    }
    if (name === '/_/ready') {
      if (only('GET', request, response)) answerReady(request, response);
      return true;
    }
    return control?.(name, request, response) ?? false;
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url as string;
    if (path.charCodeAt(1) === 0x5f && path.startsWith('/_/') && isControl(path, request, response)) return;
    if (config === undefined || runner === undefined) {
      answer(response, 503, 'watchdog: no function is loaded yet');
      return;
    }
    const call = new Call(request, response, onEnd);
    calls.add(call);
    if (config.maxInflight > 0 && calls.size > config.maxInflight) {
      answer(response, 429, `watchdog: max_inflight of ${config.maxInflight} calls at once is reached`, ['Retry-After', '1']);
      return;
    }
    startLimits(call, config);
    runner.handle(call);
  };

  const server = createServer(
    {
      requestTimeout: 0,
      headersTimeout: 60_000,
      // Why 0: the caller closes kept connections; a close of ours would race with its next call.
      keepAliveTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
      noDelay: true,
      optimizeEmptyRequests: true,
    },
    onRequest,
  );
  server.timeout = 0;

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => runner?.upgrade?.(request, socket, head);

  return {
    server,
    serve: (nextConfig, nextRunner) => {
      config = nextConfig;
      runner = nextRunner;
      if (nextRunner.upgrade !== undefined) server.on('upgrade', onUpgrade);
      accepting = true;
    },
    refuse: () => {
      accepting = false;
    },
    drain: (limitMs) =>
      new Promise((resolve) => {
        accepting = false;
        draining = true;
        server.close();
        server.closeIdleConnections();
        const timer = setTimeout(() => finish(), limitMs);
        const finish = (): void => {
          clearTimeout(timer);
          const left = calls.size;
          server.closeAllConnections();
          resolve(left);
        };
        drained = finish;
        if (calls.size === 0) finish();
      }),
    failAll: (text) => {
      for (const call of calls) answer(call.response, 500, text);
    },
    inFlight: () => calls.size,
  };
};

const startLimits = (call: Call, config: Config): void => {
  const exec =
    config.execTimeoutMs === 0 ? 0 : limitOf(config.execTimeoutMs, call.request.headers['x-timeout'] as string | undefined);
  const write = config.writeTimeoutMs;
  if (exec !== 0 && (write === 0 || exec <= write)) call.limit(exec, 'exec_timeout');
  else if (write !== 0) call.limit(write, 'write_timeout');
  if (config.readTimeoutMs !== 0 && hasBody(call.request)) call.limitBody(config.readTimeoutMs);
};

/** Of a head that was written from a flat list node:http keeps only the text. */
const lengthSent = (response: ServerResponse): string | undefined => {
  const head = (response as unknown as { _header?: string | null })._header;
  return /\r\ncontent-length: (\d+)\r\n/i.exec(head ?? '')?.[1];
};

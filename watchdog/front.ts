// The HTTP server in front of a function: health and readiness are answered here, the rest are calls.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { longestTimerMs } from '../provider/types/duration.ts';
import { watchdogReadyHeader } from '../provider/types/headers.ts';
import { accessLine } from './access-log.ts';
import { answer } from './answer.ts';
import { answerUpgrade } from './answer-upgrade.ts';
import { Call, limitOf } from './call.ts';
import type { Config } from './config.ts';
import { Deadlines } from './deadlines.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createServer } from './node-http.ts';
import { endAsWhole, OpenSockets } from './open-sockets.ts';
import { hasBody } from './read-body.ts';
import type { Runner } from './runners/runner.ts';

export type FrontParts = {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Answers a path under `/_/` that only one way of starting has; true when it did. */
  readonly control?: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
  /** Whether something outside, such as the lock file, lets us be healthy. */
  readonly healthy?: () => boolean;
};

/** What a gateway takes, and room for what it adds. */
const maxHeaderBytes = (1024 + 16) * 1024;

const serverOptions = {
  requestTimeout: 0,
  headersTimeout: 60_000,
  // Why 0: the caller closes kept connections; a close of ours would race with its next call.
  keepAliveTimeout: 0,
  maxHeaderSize: maxHeaderBytes,
  noDelay: true,
  optimizeEmptyRequests: true,
};

const plain = (response: ServerResponse, status: number, body = ''): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
};

const isGet = (request: IncomingMessage, response: ServerResponse): boolean => {
  if (request.method === 'GET') return true;
  answer(response, 405, `method: expected GET, got ${request.method}`, ['Allow', 'GET']);
  return false;
};

/** Looked up in the list as it came: the object of all headers is not made for this alone. */
const timeoutAsked = (flat: readonly string[]): string | undefined => {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (name.length === 9 && name.toLowerCase() === 'x-timeout') return flat[i + 1];
  }
  return undefined;
};

const tooMany = (config: Config): string => `watchdog: max_inflight of ${config.maxInflight} calls at once is reached`;

/** Queries may hold what is no log's business. */
const pathOf = (target: string): string => target.split('?', 1)[0] as string;

const startLimits = (call: Call, config: Config): void => {
  const { execTimeoutMs, writeTimeoutMs, readTimeoutMs } = config;
  const exec = execTimeoutMs === 0 ? 0 : limitOf(execTimeoutMs, timeoutAsked(call.request.rawHeaders));
  if (exec !== 0 && (writeTimeoutMs === 0 || exec <= writeTimeoutMs))
    call.limit(exec, exec < execTimeoutMs ? 'X-Timeout' : 'exec_timeout');
  else if (writeTimeoutMs !== 0) call.limit(writeTimeoutMs, 'write_timeout');
  if (readTimeoutMs !== 0 && hasBody(call.request)) call.limitBody(readTimeoutMs);
};

export class Front {
  readonly server: Server;
  readonly #parts: FrontParts;
  readonly #calls = new Set<Call>();
  readonly #deadlines = new Deadlines();
  readonly #sockets = new OpenSockets(() => this.#checkDrained());
  readonly #onEnd = (call: Call): void => this.#ended(call);
  #config: Config | undefined;
  #runner: Runner | undefined;
  #accepting = false;
  #drained: (() => void) | undefined;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.server = createServer(serverOptions, (request, response) => this.#receive(request, response));
    this.server.timeout = 0;
    // The size is bounded already.
    this.server.maxHeadersCount = 0;
  }

  /** Running calls and open sockets. */
  get inFlight(): number {
    return this.#calls.size + this.#sockets.size;
  }

  /** From now on calls reach the runner. */
  serve(config: Config, runner: Runner): void {
    this.#config = config;
    this.#runner = runner;
    this.#accepting = true;
    // Why only here: with a listener node:http takes every upgrade away from the ordinary path.
    const { upgrade } = runner;
    if (upgrade === undefined) return;
    this.server.on('upgrade', (request, socket, head) => {
      endAsWhole(socket);
      if (this.#isFull(config)) {
        answerUpgrade(request, socket, 429, tooMany(config), ['Retry-After', '1'], 'MaxInflight');
        return;
      }
      this.#sockets.add(socket);
      upgrade(request, socket, head);
    });
  }

  /** Health and readiness say no from now on; calls are still served. */
  refuse(): void {
    this.#accepting = false;
  }

  /** Stops listening and waits for what is in flight, `limitMs` at most; resolves with how many of that were cut. */
  drain(limitMs: number): Promise<number> {
    this.#accepting = false;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        const left = this.inFlight;
        this.#sockets.cutAll();
        this.server.closeAllConnections();
        resolve(left);
      };
      const timer = setTimeout(finish, Math.min(limitMs, longestTimerMs));
      this.#drained = finish;
      this.#closeServer();
      this.#checkDrained();
    });
  }

  /** As it closes, node:http takes an answer that has been ended for one that has been sent, and cuts off what is on its way. */
  #closeServer(): void {
    const unsent: ServerResponse[] = [];
    for (const { response } of this.#calls) if (response.writableEnded && !response.writableFinished) unsent.push(response);
    for (const response of unsent) response.finished = false;
    this.server.close();
    for (const response of unsent) response.finished = true;
  }

  /** Answers every running call with 500, synchronously: the process is about to end. */
  failAll(text: string): void {
    for (const { response } of this.#calls) answer(response, 500, text);
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url as string;
    if (path.charCodeAt(1) === 0x5f && path.startsWith('/_/') && this.#control(path, request, response)) return;
    const config = this.#config;
    if (config === undefined || this.#runner === undefined) {
      answer(response, 503, 'watchdog: no function is loaded yet');
      return;
    }
    const isFull = this.#isFull(config);
    const call = new Call(request, response, this.#deadlines, this.#onEnd);
    this.#calls.add(call);
    if (isFull) {
      answer(response, 429, tooMany(config), ['Retry-After', '1'], 'MaxInflight');
      return;
    }
    startLimits(call, config);
    this.#runner.handle(call);
  }

  #isFull({ maxInflight }: Config): boolean {
    return maxInflight > 0 && this.inFlight >= maxInflight;
  }

  #control(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const end = path.indexOf('?');
    const name = end === -1 ? path : path.slice(0, end);
    if (name === '/_/health') {
      response.setHeader(watchdogReadyHeader, String(this.#runner?.ready() ?? false));
      if (isGet(request, response)) plain(response, this.#healthy() ? 200 : 503, this.#healthy() ? 'OK' : '');
      return true;
    }
    if (name === '/_/ready') {
      if (isGet(request, response)) this.#answerReady(request, response);
      return true;
    }
    return this.#parts.control?.(name, request, response) ?? false;
  }

  #healthy(): boolean {
    return this.#accepting && (this.#parts.healthy?.() ?? true);
  }

  #answerReady(request: IncomingMessage, response: ServerResponse): void {
    const config = this.#config;
    const runner = this.#runner;
    if (config === undefined || runner === undefined || !this.#healthy() || !runner.ready()) plain(response, 503);
    else if (this.#isFull(config)) plain(response, 429);
    else if (config.readyPath === '') plain(response, 200);
    else {
      request.url = config.readyPath.startsWith('/') ? config.readyPath : `/${config.readyPath}`;
      const call = new Call(request, response, this.#deadlines, (each) => this.#log(each, config));
      call.limit(config.execTimeoutMs, 'exec_timeout');
      runner.handle(call);
    }
  }

  #ended(call: Call): void {
    this.#calls.delete(call);
    const { request, response } = call;
    this.#parts.metrics.observe(request.method as string, response.statusCode, (performance.now() - call.startedMs) / 1000);
    if (call.failure !== undefined) this.#parts.log(`${call.failure}; ${request.method} ${pathOf(request.url as string)}`);
    if (this.#config?.accessLog === true) this.#log(call, this.#config);
    if (this.#drained === undefined) return;
    request.socket?.destroySoon();
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.inFlight === 0) this.#drained?.();
  }

  #log(call: Call, config: Config): void {
    if (!config.accessLog) return;
    const line = accessLine(call, (performance.now() - call.startedMs) / 1000, config.logCallId);
    if (line !== undefined) this.#parts.log(line);
  }
}

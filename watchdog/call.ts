// One call of the function: its time limit, its signal, and what must happen when it ends.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatDuration, parseDuration } from '../provider/types/duration.ts';
import { callIdHeader, durationHeader } from '../provider/types/headers.ts';
import { answer } from './answer.ts';
import type { Bounded, Deadlines } from './deadlines.ts';

export type EndReason = 'timeout' | 'client-gone' | 'finished';

const never = Number.POSITIVE_INFINITY;

const callOf = Symbol('call');
type Tracked = ServerResponse & { [callOf]?: Call };

function onClose(this: Tracked): void {
  this[callOf]?.close();
}

/** Shorter of `exec_timeout` and the caller's `X-Timeout`; 0 is no limit, which a caller cannot change. */
export const limitOf = (execTimeoutMs: number, asked: string | undefined): number => {
  if (execTimeoutMs === 0 || asked === undefined) return execTimeoutMs;
  const askedMs = parseDuration(asked);
  return askedMs !== undefined && askedMs > 0 && askedMs < execTimeoutMs ? askedMs : execTimeoutMs;
};

export class Call implements Bounded {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startedMs: number;
  /** Called once when the call is over for whatever reason, with the response as it was sent. */
  onEnd: ((call: Call) => void) | undefined;
  /** Called when the call was cut short: by its time limit or by a client that left. */
  onAbort: ((reason: EndReason) => void) | undefined;
  /** Why the watchdog answered in the function's place, for the log. */
  failure: string | undefined;
  readonly #deadlines: Deadlines;
  #limitMs = 0;
  #limitName = '';
  #overMs = never;
  #bodyLimitMs = 0;
  #bodyOverMs = never;
  #controller: AbortController | undefined;
  #aborted: EndReason | undefined;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse, deadlines: Deadlines, onEnd: (call: Call) => void) {
    this.request = request;
    this.response = response;
    this.#deadlines = deadlines;
    this.startedMs = performance.now();
    this.onEnd = onEnd;
    (response as Tracked)[callOf] = this;
    response.on('close', onClose);
  }

  get callId(): string | undefined {
    const id = this.request.headers[callIdHeader.toLowerCase()];
    return typeof id === 'string' ? id : undefined;
  }

  /** True once an answer of the function would reach nobody. */
  get over(): boolean {
    return this.#ended || this.#aborted !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(abortError(this.#aborted));
    }
    return this.#controller.signal;
  }

  /** `X-Duration-Seconds` and its value: seconds since the call came, with six decimals. */
  duration(): [string, string] {
    return [durationHeader, ((performance.now() - this.startedMs) / 1000).toFixed(6)];
  }

  get deadlineMs(): number {
    return Math.min(this.#overMs, this.#bodyOverMs);
  }

  /** Starts the clock of a limit named `name`, at the call's beginning; 0 is none. A second call replaces the first. */
  limit(ms: number, name: string): void {
    this.#limitMs = ms;
    this.#limitName = name;
    this.#overMs = ms === 0 ? never : this.startedMs + ms;
    if (ms !== 0 && !this.over) this.#deadlines.watch(this);
  }

  /** Limits how long the client may take to send the body. */
  limitBody(ms: number): void {
    this.#bodyLimitMs = ms;
    this.#bodyOverMs = this.startedMs + ms;
    this.#deadlines.watch(this);
  }

  /** Answers that the function did not, with why. */
  fail(status: number, text: string, headers: readonly string[] = [], reason?: string): void {
    this.failure = text;
    answer(this.response, status, text, headers, reason);
  }

  expire(nowMs: number): void {
    if (this.#overMs <= nowMs) this.#expireFunction();
    else this.#expireBody();
  }

  close(): void {
    if (this.#ended) return;
    this.#deadlines.forget(this);
    if (!this.response.writableFinished) this.#abort('client-gone');
    this.#ended = true;
    this.onEnd?.(this);
  }

  #expireFunction(): void {
    const limit = `${this.#limitName} of ${formatDuration(this.#limitMs)}`;
    const reason = this.#limitName === 'write_timeout' ? 'WriteTimeout' : 'ExecTimeout';
    this.#cutShort(`watchdog: the function did not finish within ${limit}`, reason);
  }

  #expireBody(): void {
    this.#bodyOverMs = never;
    if (this.request.complete) return;
    const limit = `read_timeout of ${formatDuration(this.#bodyLimitMs)}`;
    this.#cutShort(`watchdog: the request body was not complete within ${limit}`, 'ReadTimeout');
  }

  #cutShort(text: string, reason: string): void {
    if (this.over) return;
    this.#abort('timeout');
    const [name, value] = this.duration();
    // Why close: the rest of an unfinished body would be taken for the next request's wait.
    this.fail(504, text, this.request.complete ? [name, value] : [name, value, 'Connection', 'close'], reason);
  }

  #abort(reason: EndReason): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#deadlines.forget(this);
    this.#controller?.abort(abortError(reason));
    this.onAbort?.(reason);
  }
}

const abortError = (reason: EndReason): DOMException =>
  reason === 'timeout'
    ? new DOMException('the call took longer than its time limit', 'TimeoutError')
    : new DOMException('the caller went away', 'AbortError');

// One call of the function: its time limit, its signal, and what must happen when it ends.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatDuration, parseDuration } from '../provider/types/duration.ts';
import { callIdHeader, durationHeader } from '../provider/types/headers.ts';
import { answer } from './answer.ts';

export type EndReason = 'timeout' | 'client-gone' | 'finished';

const callOf = Symbol('call');
type Tracked = ServerResponse & { [callOf]?: Call };

function onClose(this: Tracked): void {
  this[callOf]?.close();
}

/** What a timer of Node can hold; longer ones would fire at once. */
export const longestTimerMs = 2 ** 31 - 1;

const onLimit = (call: Call): void => call.expire();

/** Shorter of `exec_timeout` and the caller's `X-Timeout`; 0 is no limit, which a caller cannot change. */
export const limitOf = (execTimeoutMs: number, asked: string | undefined): number => {
  if (execTimeoutMs === 0 || asked === undefined) return execTimeoutMs;
  const askedMs = parseDuration(asked);
  return askedMs !== undefined && askedMs > 0 && askedMs < execTimeoutMs ? askedMs : execTimeoutMs;
};

export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startedMs: number;
  /** Called once when the call is over for whatever reason, with the response as it was sent. */
  onEnd: ((call: Call) => void) | undefined;
  /** Called when the call was cut short: by its time limit or by a client that left. */
  onAbort: ((reason: EndReason) => void) | undefined;
  /** Why the watchdog answered in the function's place, for the log. */
  failure: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #limitMs = 0;
  #limitName = '';
  #controller: AbortController | undefined;
  #aborted: EndReason | undefined;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse, onEnd: ((call: Call) => void) | undefined) {
    this.request = request;
    this.response = response;
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

  /** Starts the clock of a limit named `name`; 0 is none. A second call replaces the first. */
  limit(ms: number, name: string): void {
    if (this.#timer !== undefined) this.unlimit();
    if (ms === 0 || this.over) return;
    this.#limitMs = ms;
    this.#limitName = name;
    this.#timer = setTimeout(onLimit, Math.min(longestTimerMs, Math.max(0, this.startedMs + ms - performance.now())), this);
  }

  unlimit(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Limits how long the client may take to send the body. */
  limitBody(ms: number): void {
    const timer = setTimeout(
      () => {
        const text = `watchdog: the request body was not complete within read_timeout of ${formatDuration(ms)}`;
        this.#cutShort(text, 'ReadTimeout');
      },
      Math.min(longestTimerMs, ms),
    );
    const stop = (): void => clearTimeout(timer);
    this.request.once('end', stop);
    this.request.once('close', stop);
  }

  /** Answers that the function did not, with why. */
  fail(status: number, text: string, headers: readonly string[] = [], reason?: string): void {
    this.failure = text;
    answer(this.response, status, text, headers, reason);
  }

  expire(): void {
    const limit = `${this.#limitName} of ${formatDuration(this.#limitMs)}`;
    const reason = this.#limitName === 'write_timeout' ? 'WriteTimeout' : 'ExecTimeout';
    this.#cutShort(`watchdog: the function did not finish within ${limit}`, reason);
  }

  close(): void {
    if (this.#ended) return;
    this.unlimit();
    if (!this.response.writableFinished) this.#abort('client-gone');
    this.#ended = true;
    this.onEnd?.(this);
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
    this.unlimit();
    this.#controller?.abort(abortError(reason));
    this.onAbort?.(reason);
  }
}

const abortError = (reason: EndReason): DOMException =>
  reason === 'timeout'
    ? new DOMException('the call took longer than its time limit', 'TimeoutError')
    : new DOMException('the caller went away', 'AbortError');
